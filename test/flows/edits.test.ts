import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { expectLawsHold } from '../support/invariants.ts';
import { onlyPicture, runOperation, upload } from '../support/operations.ts';
import { type Area, at, cropped, differences, hueOf, maskOf, pixelsOf, scene } from '../support/pixels.ts';
import { open } from '../support/stories.ts';

const SIZE = { width: 512, height: 384 };
const AREA: Area = { left: 100, top: 80, width: 120, height: 90 };

let gateway: TestGateway;
let key: string;
let picture: Buffer;
let image: string;
let mask: string;
beforeAll(async () => {
  gateway = await startTestGateway();
  key = await open(gateway, { tier: 'PRO' });
  picture = await scene(SIZE.width, SIZE.height);
  image = await upload(gateway, key, picture);
  mask = await upload(gateway, key, await maskOf(SIZE.width, SIZE.height, AREA));
});
beforeEach(() => gateway.sandbox?.faults.clear());
afterAll(async () => {
  await expectLawsHold(gateway.database.db);
  await gateway.stop();
});

const edit = (input: Record<string, unknown>, of = image) => runOperation(gateway, key, 'edit', of, input);
const grown = (by: number): Area => ({
  left: AREA.left - by,
  top: AREA.top - by,
  width: AREA.width + 2 * by,
  height: AREA.height + 2 * by,
});

test.each([
  ['removeBackground', { removeBackground: {} }],
  ['erase', { erase: { growMask: 0 } }],
  ['inpaint', { inpaint: { prompt: 'a lamp', growMask: 4 } }],
  ['outpaint', { outpaint: { left: 64 } }],
  ['searchReplace', { searchReplace: { searchPrompt: 'the red disc', prompt: 'a yellow star' } }],
  ['searchRecolor', { searchRecolor: { selectPrompt: 'red', prompt: 'blue' } }],
  ['relight', { relight: { backgroundPrompt: 'a beach at sunset', lightSourceDirection: 'LEFT' } }],
  ['general', { general: { prompt: 'make it look like autumn' } }],
])('%s runs', async (kind, input) => {
  const withMask =
    kind === 'erase' || kind === 'inpaint' ? { [kind]: { ...(input as Record<string, object>)[kind], mask } } : input;
  const job = await edit(withMask);
  console.log(
    kind,
    job.status,
    JSON.stringify(job.images.map((i) => [i.status, i.failure, i.attempts, i.asset?.width, i.asset?.height])),
    job.receipt.captured,
  );
  expect(job.status).toBe('SUCCEEDED');
});
