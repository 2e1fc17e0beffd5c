import sharp from 'sharp';
import { expect, test } from 'vitest';
import { pictureFormat } from '../../src/providers/picture-format.ts';

const drawn = () => sharp({ create: { width: 8, height: 8, channels: 3, background: 'red' } });

test.each(['png', 'jpeg', 'webp'] as const)('a %s is recognised by its first bytes', async (format) => {
  expect(pictureFormat(await drawn().toFormat(format).toBuffer())).toBe(format);
});

test.each([
  ['a GIF', async () => drawn().gif().toBuffer()],
  ['a TIFF', async () => drawn().tiff().toBuffer()],
  ['an AVIF', async () => drawn().avif().toBuffer()],
  ['an SVG', async () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>')],
  ['a WAV', async () => Buffer.from('RIFF\0\0\0\0WAVEfmt ')],
  ['half a signature', async () => (await drawn().png().toBuffer()).subarray(0, 7)],
  ['a signature that comes late', async () => Buffer.concat([Buffer.from(' '), await drawn().png().toBuffer()])],
  ['JSON', async () => Buffer.from('{}')],
  ['nothing', async () => Buffer.alloc(0)],
])('%s is not', async (_what, make) => expect(pictureFormat(await make())).toBeNull());
