import { availableParallelism } from 'node:os';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { CROPS } from '../../src/social/optimize-request.ts';
import { optimizePicture } from '../../src/social/optimizer.ts';
import { decodePixels } from '../../src/social/pixels.ts';
import { SOCIAL_FORMATS } from '../../src/social/social-formats.ts';
import { grainy } from '../assets/library.ts';
import { pictureOf } from './drawings.ts';

// The real functions, watched.
vi.mock('../../src/social/pixels.ts', { spy: true });

afterEach(() => vi.resetAllMocks());

const how = (crop: (typeof CROPS)[number]) =>
  ({
    crop,
    focalPoint: crop === 'FOCAL' ? { x: 0, y: 0 } : null,
    padding: crop === 'FIT' ? 'BLUR' : null,
    outputFormat: 'JPEG',
  }) as const;

describe('decoding', () => {
  test.each(CROPS)(
    'is done once for all twenty formats with %s, and its bytes are never looked at again',
    async (crop) => {
      const source = await grainy(1280, 960).jpeg().toBuffer();
      const untouched = await optimizePicture(Buffer.from(source), SOCIAL_FORMATS, how(crop));
      vi.mocked(decodePixels).mockClear();
      const decode = vi.mocked(decodePixels).getMockImplementation() ?? (await original()).decodePixels;
      vi.mocked(decodePixels).mockImplementation(async (bytes, ground) => {
        const pixels = await decode(bytes, ground);
        bytes.fill(0);
        return pixels;
      });
      const optimized = await optimizePicture(source, SOCIAL_FORMATS, how(crop));
      expect(decodePixels).toHaveBeenCalledTimes(1);
      expect(optimized.map((made) => pictureOf(made).sha256)).toEqual(untouched.map((made) => pictureOf(made).sha256));
    },
  );

  test('is done for few pictures at once, however many are asked for', async () => {
    const source = await grainy(700, 700).jpeg().toBuffer();
    const { decodePixels: decode } = await original();
    let [running, most] = [0, 0];
    vi.mocked(decodePixels).mockImplementation(async (bytes, ground) => {
      most = Math.max(most, ++running);
      try {
        return await decode(bytes, ground);
      } finally {
        running--;
      }
    });
    const formats = SOCIAL_FORMATS.slice(0, 1);
    await Promise.all(Array.from({ length: 8 }, () => optimizePicture(source, formats, how('CENTER'))));
    expect(decodePixels).toHaveBeenCalledTimes(8);
    expect(most).toBeLessThanOrEqual(Math.max(1, Math.floor(availableParallelism() / 2)));
  });
});

const original = () => vi.importActual<typeof import('../../src/social/pixels.ts')>('../../src/social/pixels.ts');
