import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalHash } from '../../src/platform/canonical-hash.ts';
import { CROPS, canonicalOptimize, type OptimizeInput } from '../../src/social/optimize-request.ts';
import { formatsOf, SOCIAL_FORMATS, SOCIAL_PLATFORMS, type SocialPlatform } from '../../src/social/social-formats.ts';
import { badInputOf } from '../catalog/bad-input.ts';

const IMAGE = 'asset_01h455vb4pex5vsknk084sn02q';
const canonical = (input: OptimizeInput) => canonicalOptimize(IMAGE, input);
const hash = (input: OptimizeInput) => canonicalHash(canonical(input));
const refusal = (input: OptimizeInput) => badInputOf(() => canonical(input));
const formats = ['instagram-story'];

describe('a wish in canonical form', () => {
  test('has every default filled in', () => {
    expect(canonical({ platforms: ['TIKTOK'] })).toEqual({
      operation: 'OPTIMIZE',
      image: IMAGE,
      formats: ['tiktok-video-cover'],
      crop: 'SMART',
      focalPoint: null,
      padding: null,
      outputFormat: 'JPEG',
    });
  });

  test('pads with the blurred picture where nothing else is said', () => {
    expect(canonical({ formats, crop: 'FIT' })).toMatchObject({ crop: 'FIT', padding: 'BLUR' });
  });

  test('takes one picture for each platform, in its default format', () => {
    expect(canonical({ platforms: [...SOCIAL_PLATFORMS] }).formats).toEqual(
      SOCIAL_PLATFORMS.map((platform) => formatsOf(platform)[0]?.id).sort(),
    );
  });

  test('takes all formats at once', () => {
    expect(canonical({ formats: SOCIAL_FORMATS.map(({ id }) => id) }).formats).toHaveLength(20);
  });

  test('passes the image through, and its absence', () => {
    expect(canonicalOptimize(null, { formats }).image).toBeNull();
    expect(canonicalOptimize('asset_that_is_not_there', { formats }).image).toBe('asset_that_is_not_there');
  });
});

describe('wishes that mean the same pictures hash alike', () => {
  test.each<[string, OptimizeInput, OptimizeInput]>([
    ['a platform or its default format', { platforms: ['YOUTUBE'] }, { formats: ['youtube-thumbnail'] }],
    [
      'with every default spelled out',
      { formats },
      { formats, crop: 'SMART', outputFormat: 'JPEG', padding: undefined, focalPoint: undefined },
    ],
    [
      'a colour in any case',
      { formats, crop: 'FIT', padding: '#AbCdEf' },
      { formats, crop: 'FIT', padding: '#abcdef' },
    ],
    ['padding left out or blurred', { formats, crop: 'FIT' }, { formats, crop: 'FIT', padding: 'BLUR' }],
    [
      'a focal point in the middle or the centre',
      { formats, crop: 'FOCAL', focalPoint: { x: 0.5, y: 0.5 } },
      { formats, crop: 'CENTER' },
    ],
  ])('%s', (_, one, other) => {
    expect(hash(one)).toBe(hash(other));
  });

  test('formats in any order', () => {
    const some = fc.subarray(
      SOCIAL_FORMATS.map(({ id }) => id),
      { minLength: 1 },
    );
    const shuffled = some.chain((ids) =>
      fc.tuple(fc.constant(ids), fc.shuffledSubarray(ids, { minLength: ids.length })),
    );
    fc.assert(
      fc.property(shuffled, ([one, other]) => {
        expect(canonical({ formats: other })).toEqual(canonical({ formats: one }));
      }),
    );
  });
});

const wish = fc
  .record({
    formats: fc.subarray(
      SOCIAL_FORMATS.map(({ id }) => id),
      { minLength: 1, maxLength: 3 },
    ),
    crop: fc.constantFrom(...CROPS),
    focalPoint: fc.record({ x: fc.constantFrom(0, 0.25, 0.5, 1), y: fc.constantFrom(0, 0.5, 1) }),
    padding: fc.constantFrom('BLUR', '#000000', '#ffffff'),
    outputFormat: fc.constantFrom('PNG' as const, 'JPEG' as const),
  })
  .map(({ focalPoint, padding, ...rest }): OptimizeInput => {
    if (rest.crop === 'FOCAL') return { ...rest, focalPoint };
    return rest.crop === 'FIT' ? { ...rest, padding } : rest;
  });

describe('for any wish', () => {
  test('its canonical form said again in words is the same wish', () => {
    fc.assert(
      fc.property(wish, (asked) => {
        const { operation: _operation, image: _image, ...said } = canonical(asked);
        const again = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== null));
        expect(canonical(again as unknown as OptimizeInput)).toEqual(canonical(asked));
      }),
    );
  });

  test('another one hashes alike exactly when it means the same', () => {
    const meaning = ({ crop, focalPoint, ...rest }: OptimizeInput) =>
      JSON.stringify(
        crop === 'FOCAL' && focalPoint?.x === 0.5 && focalPoint.y === 0.5
          ? { ...rest, crop: 'CENTER' }
          : { ...rest, crop, focalPoint },
      );
    fc.assert(
      fc.property(wish, wish, (one, other) => {
        expect(hash(one) === hash(other)).toBe(meaning(one) === meaning(other));
      }),
    );
  });
});

describe('a wish that is valid for no picture is refused with field, value and limit', () => {
  test.each<[string, OptimizeInput, string, unknown, RegExp]>([
    ['neither platforms nor formats', {}, 'platforms', null, /given, .*or formats instead/],
    ['both', { platforms: ['TIKTOK'], formats }, 'platforms', ['TIKTOK'], /left out when formats are given/],
    ['no platform', { platforms: [] }, 'platforms', 0, /^a list of 1 to 7 platforms$/],
    ['no format', { formats: [] }, 'formats', 0, /^a list of 1 to 20 formats$/],
    ['21 formats', { formats: Array(21).fill('x') }, 'formats', 21, /^a list of 1 to 20 formats$/],
    ['a platform twice', { platforms: ['TIKTOK', 'TIKTOK'] }, 'platforms', 'TIKTOK', /named once/],
    ['a format twice', { formats: [...formats, ...formats] }, 'formats', 'instagram-story', /named once/],
    ['an unknown platform', { platforms: ['BLOG' as SocialPlatform] }, 'platforms', 'BLOG', /^one of INSTAGRAM, /],
    [
      'an unknown format of a known platform',
      { formats: ['youtube-short'] },
      'formats',
      'youtube-short',
      /^one of youtube-thumbnail, youtube-channel-art$/,
    ],
    ['an unknown format', { formats: ['myspace'] }, 'formats', 'myspace', /such as "instagram-feed-square"; .*lists/],
    ['a point without FOCAL', { formats, focalPoint: { x: 0, y: 0 } }, 'focalPoint', { x: 0, y: 0 }, /only FOCAL/],
    ['FOCAL without a point', { formats, crop: 'FOCAL' }, 'focalPoint', null, /given when crop is FOCAL/],
    [
      'a point beside the picture',
      { formats, crop: 'FOCAL', focalPoint: { x: 1.01, y: 0 } },
      'focalPoint.x',
      1.01,
      /from 0 to 1/,
    ],
    [
      'a point above the picture',
      { formats, crop: 'FOCAL', focalPoint: { x: 0, y: -0.01 } },
      'focalPoint.y',
      -0.01,
      /from 0 to 1/,
    ],
    [
      'a point nowhere',
      { formats, crop: 'FOCAL', focalPoint: { x: Number.NaN, y: 0 } },
      'focalPoint.x',
      Number.NaN,
      /from 0 to 1/,
    ],
    ['padding without FIT', { formats, padding: 'BLUR' }, 'padding', 'BLUR', /only FIT pads/],
    ['a short colour', { formats, crop: 'FIT', padding: '#fff' }, 'padding', '#fff', /such as "#1a2b3c", or BLUR/],
    ['a named colour', { formats, crop: 'FIT', padding: 'red' }, 'padding', 'red', /such as "#1a2b3c", or BLUR/],
    ['a colour and more', { formats, crop: 'FIT', padding: '#ffffff;' }, 'padding', '#ffffff;', /colour/],
    [
      'a kind of file that one of the platforms does not take',
      { formats: ['pinterest-pin', 'instagram-story'], outputFormat: 'WEBP' },
      'outputFormat',
      'WEBP',
      /^PNG or JPEG, because INSTAGRAM takes no WEBP$/,
    ],
  ])('%s', (_, input, field, value, limit) => {
    expect(refusal(input)).toEqual({
      code: 'BAD_USER_INPUT',
      field,
      value,
      limit: expect.stringMatching(limit),
    });
  });

  test('but WebP is written for platforms that take it', () => {
    expect(canonical({ platforms: ['TWITTER', 'PINTEREST'], outputFormat: 'WEBP' }).outputFormat).toBe('WEBP');
  });
});
