import { expect, test } from 'vitest';
import * as library from '../../src/assets/pictures.ts';
import { OUTPUT_PIXELS_MAX } from '../../src/catalog/sizes.ts';
import { ENLARGEMENT_MAX } from '../../src/routing/render-plan.ts';

test('what is planned and priced is what the library takes, although neither may know the other', () => {
  expect(library.ENLARGEMENT_MAX).toBe(ENLARGEMENT_MAX);
  expect(library.PICTURE_PIXELS_MAX).toBe(OUTPUT_PIXELS_MAX);
});
