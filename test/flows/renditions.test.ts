import sharp from 'sharp';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { fetched } from '../support/pixels.ts';
import { generate, open } from '../support/stories.ts';

let gateway: TestGateway;
let key: string;
let id: string;
let original: string;
beforeAll(async () => {
  gateway = await startTestGateway();
  key = await open(gateway, { tier: 'PRO' });
  const input = { prompt: 'a lighthouse', model: 'qwen-image', width: 640, height: 480 };
  const { job } = await generate(gateway, key, input, { waitSeconds: 30 });
  const asset = job.images[0]?.asset;
  [id, original] = [asset?.id ?? '', asset?.url ?? ''];
});
afterAll(() => gateway.stop());

const asked = (fields: string) =>
  gateway.ask<{ asset: Record<string, string> }>({ key }, `query ($id: ID!) { asset(id: $id) { ${fields} } }`, { id });

test('a picture is fetched without a key in the sizes and formats that one query asks for', async () => {
  const { data, errors } = await asked(`url
    thumbnail: url(width: 64, height: 64, fit: COVER, format: WEBP)
    page: url(width: 320)
    framed: url(width: 100, height: 300, fit: CONTAIN, format: PNG)
    large: url(width: 4096, format: AVIF)
    same: url(fit: INSIDE)
    none: url(width: null, height: null, fit: null, format: null)`);
  expect(errors).toBeUndefined();
  const { url = '', thumbnail = '', page = '', framed = '', large = '', same, none } = data?.asset ?? {};
  expect([same, none]).toEqual([url, url]);
  expect(new URL(url).pathname).toBe(new URL(original).pathname);
  const measured = async (address: string) => {
    const { format, width, height } = await sharp(await fetched(address)).metadata();
    return [new URL(address).pathname.split('/').at(-1), format, width, height];
  };
  expect(await measured(thumbnail)).toEqual(['cover-64x64.webp', 'webp', 64, 64]);
  expect(await measured(page)).toEqual(['inside-320x240.png', 'png', 320, 240]);
  expect(await measured(framed)).toEqual(['contain-100x300.png', 'png', 100, 300]);
  expect(await measured(large)).toEqual(['inside-640x480.avif', 'heif', 640, 480]);
});

test.each([
  ['width: 15', 'width', 15, 'a whole number from 16 to 4096'],
  ['height: 4097', 'height', 4097, 'a whole number from 16 to 4096'],
  ['width: 100, fit: COVER', 'height', null, 'given, a whole number from 16 to 4096, because COVER needs both sides'],
])('url(%s) is refused by name, at the field that asked for it', async (args, field, value, limit) => {
  const { errors } = await asked(`id bad: url(${args})`);
  expect(errors).toHaveLength(1);
  expect(errors?.[0]).toMatchObject({
    path: ['asset', 'bad'],
    extensions: { code: 'BAD_USER_INPUT', field, value, limit },
  });
});

test.each(['width: 1.5', 'width: 99999999999', 'fit: FILL', 'format: GIF', 'width: "100"'])(
  'url(%s) is refused before anything is done',
  async (args) => {
    const { data, errors } = await asked(`url(${args})`);
    expect([data ?? null, errors?.length]).toEqual([null, 1]);
  },
);
