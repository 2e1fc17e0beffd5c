import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TEMPLATES } from '../../src/catalog/templates.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { generate, open } from '../support/stories.ts';

let gateway: TestGateway;
let key: string;
beforeAll(async () => {
  gateway = await startTestGateway();
  key = await open(gateway, { tier: 'PRO' });
});
afterAll(() => gateway.stop());

test('there are the twenty-six templates', () => {
  expect(TEMPLATES).toHaveLength(26);
});

test.each(
  TEMPLATES.map(
    ({ id, width, height }, index) =>
      [id, width, height, (['DRAFT', 'STANDARD', 'PREMIUM'] as const)[index % 3]] as const,
  ),
)(
  'the template %s makes a picture of exactly %ix%i pixels, in the quality that was asked for',
  async (template, width, height, quality) => {
    const { job } = await generate(
      gateway,
      key,
      { prompt: 'a kiosk by the sea', template, quality },
      { waitSeconds: 30 },
    );
    expect(job.status).toBe('SUCCEEDED');
    const response = await fetch(job.images[0]?.asset?.url ?? '');
    expect(await sharp(Buffer.from(await response.arrayBuffer())).metadata()).toMatchObject({
      format: 'png',
      width,
      height,
    });
    const price = { DRAFT: [1, 2, 2], STANDARD: [3, 4, 5], PREMIUM: [6, 6, 8] }[quality ?? 'DRAFT'];
    const sizeClass = width * height <= 524_288 ? 0 : width * height <= 1_572_864 ? 1 : 2;
    expect(job.receipt.captured).toBe(price[sizeClass]);
  },
);
