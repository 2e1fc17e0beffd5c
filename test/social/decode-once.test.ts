import { availableParallelism } from 'node:os';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { encodeWithin } from '../../src/social/encode.ts';
import { CROPS } from '../../src/social/optimize-request.ts';
import { optimizePicture } from '../../src/social/optimizer.ts';
import { decodePixels } from '../../src/social/pixels.ts';
import { SOCIAL_FORMATS } from '../../src/social/social-formats.ts';
import { grainy } from '../assets/library.ts';
import { pictureOf } from './drawings.ts';

// The real functions, watched.
vi.mock('../../src/social/pixels.ts', { spy: true });
vi.mock('../../src/social/encode.ts', { spy: true });

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
      const untouched = await optimizePicture(async () => Buffer.from(source), SOCIAL_FORMATS, how(crop));
      vi.mocked(decodePixels).mockClear();
      const { decodePixels: decode } = await original();
      vi.mocked(decodePixels).mockImplementation(async (bytes, ground) => {
        const pixels = await decode(bytes, ground);
        bytes.fill(0);
        return pixels;
      });
      const optimized = await optimizePicture(async () => source, SOCIAL_FORMATS, how(crop));
      expect(decodePixels).toHaveBeenCalledTimes(1);
      expect(optimized.map((made) => pictureOf(made).sha256)).toEqual(untouched.map((made) => pictureOf(made).sha256));
    },
  );

  test('is done for few pictures at once, however many are asked for', async () => {
    const source = await grainy(700, 700).jpeg().toBuffer();
    const { decodePixels: decode } = await original();
    const watch = new Watch();
    vi.mocked(decodePixels).mockImplementation((bytes, ground) => watch.during(() => decode(bytes, ground)));
    const formats = SOCIAL_FORMATS.slice(0, 1);
    await Promise.all(Array.from({ length: 8 }, () => optimizePicture(async () => source, formats, how('CENTER'))));
    expect(decodePixels).toHaveBeenCalledTimes(8);
    expect(watch.most).toBeLessThanOrEqual(Math.max(1, Math.floor(availableParallelism() / 2)));
  });
});

test('of one picture two formats are encoded at once, so that the threads that all share stay free', async () => {
  const source = await grainy(1280, 960).jpeg().toBuffer();
  const { encodeWithin: encode } =
    await vi.importActual<typeof import('../../src/social/encode.ts')>('../../src/social/encode.ts');
  const watch = new Watch();
  vi.mocked(encodeWithin).mockImplementation((draw, outputFormat, bytesMax) =>
    watch.during(() => encode(draw, outputFormat, bytesMax)),
  );
  await optimizePicture(async () => source, SOCIAL_FORMATS, how('CENTER'));
  expect(encodeWithin).toHaveBeenCalledTimes(SOCIAL_FORMATS.length);
  expect(watch.most).toBe(2);
});

/** Counts how many run at once. */
class Watch {
  most = 0;
  #running = 0;

  async during<T>(work: () => Promise<T>): Promise<T> {
    this.most = Math.max(this.most, ++this.#running);
    try {
      return await work();
    } finally {
      this.#running--;
    }
  }
}

const original = () => vi.importActual<typeof import('../../src/social/pixels.ts')>('../../src/social/pixels.ts');
