import { describe, expect, test } from 'vitest';
import { pixelsOf } from '../../src/catalog/sizes.ts';
import {
  findSocialFormat,
  formatsOf,
  PLATFORM_LIMITS,
  SOCIAL_FORMATS,
  SOCIAL_PLATFORMS,
  safeArea,
} from '../../src/social/social-formats.ts';
import { format } from './drawings.ts';

describe('the formats', () => {
  test('are twenty on seven platforms, each in one size', () => {
    expect(SOCIAL_FORMATS.map(({ id, width, height }) => `${id} ${width}x${height}`)).toEqual([
      'instagram-feed-square 1080x1080',
      'instagram-feed-portrait 1080x1350',
      'instagram-story 1080x1920',
      'instagram-reel 1080x1920',
      'facebook-feed 1200x630',
      'facebook-feed-square 1080x1080',
      'facebook-story 1080x1920',
      'facebook-cover 820x312',
      'twitter-post 1200x675',
      'twitter-card 1200x600',
      'twitter-header 1500x500',
      'linkedin-feed 1200x628',
      'linkedin-feed-square 1080x1080',
      'linkedin-article 1200x627',
      'linkedin-company-cover 1128x191',
      'youtube-thumbnail 1280x720',
      'youtube-channel-art 2560x1440',
      'pinterest-pin 1000x1500',
      'pinterest-story-pin 1080x1920',
      'tiktok-video-cover 1080x1920',
    ]);
    expect(SOCIAL_PLATFORMS).toHaveLength(7);
  });

  test('are found by their id, which begins with the platform, and by nothing else', () => {
    for (const known of SOCIAL_FORMATS) {
      expect(findSocialFormat(known.id)).toBe(known);
      expect(known.id).toMatch(new RegExp(`^${known.platform.toLowerCase()}-[a-z-]+$`));
    }
    expect(findSocialFormat('')).toBeUndefined();
    expect(findSocialFormat('constructor')).toBeUndefined();
  });

  test('of all platforms together are all formats, and every platform has a first one', () => {
    expect(SOCIAL_PLATFORMS.flatMap(formatsOf)).toEqual(SOCIAL_FORMATS);
    expect(SOCIAL_PLATFORMS.map((platform) => formatsOf(platform)[0]?.id)).toEqual([
      'instagram-feed-square',
      'facebook-feed',
      'twitter-post',
      'linkedin-feed',
      'youtube-thumbnail',
      'pinterest-pin',
      'tiktok-video-cover',
    ]);
  });

  test('have a safe area that leaves out what the platform covers', () => {
    expect(safeArea(format('instagram-story'))).toEqual({ x: 108, y: 480, width: 864, height: 1152 });
    expect(safeArea(format('twitter-post'))).toEqual({ x: 120, y: 101, width: 960, height: 473 });
    for (const known of SOCIAL_FORMATS) {
      const { x, y, width, height } = safeArea(known);
      expect([x, y, width, height].every((pixels) => Number.isInteger(pixels) && pixels > 0)).toBe(true);
      expect(x + width).toBeLessThan(known.width);
      expect(y + height).toBeLessThan(known.height);
    }
  });

  test('can be met by every platform in PNG and JPEG', () => {
    for (const { platform, ...size } of SOCIAL_FORMATS) {
      const { bytesMax, fileTypes } = PLATFORM_LIMITS[platform];
      expect(fileTypes).toEqual(expect.arrayContaining(['PNG', 'JPEG']));
      expect(bytesMax).toBeGreaterThan(pixelsOf(size) / 2);
    }
  });
});
