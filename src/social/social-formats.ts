import type { OutputFormat } from '../catalog/output-formats.ts';
import type { Size } from '../catalog/sizes.ts';

export const SOCIAL_PLATFORMS = [
  'INSTAGRAM',
  'FACEBOOK',
  'TWITTER',
  'LINKEDIN',
  'YOUTUBE',
  'PINTEREST',
  'TIKTOK',
] as const;
export type SocialPlatform = (typeof SOCIAL_PLATFORMS)[number];

/** How much of each side a platform covers with its own buttons and texts, or cuts off, as a fraction from 0 to 1. */
export interface SafeZone {
  /** Of the height. */
  readonly top: number;
  readonly bottom: number;
  /** Of the width. */
  readonly left: number;
  readonly right: number;
}

/** One place on a platform where a picture can stand, with the exact size it has there. */
export interface SocialFormat extends Size {
  /** Such as `instagram-feed-square`. */
  readonly id: string;
  readonly platform: SocialPlatform;
  readonly name: string;
  readonly safeZone: SafeZone;
}

export interface PlatformLimits {
  /** Largest file that the platform takes. A platform's megabyte is read as 1,000,000 bytes, the smaller reading. */
  readonly bytesMax: number;
  /** Of the kinds that we write, those that the platform takes. */
  readonly fileTypes: readonly OutputFormat[];
}

const MEGABYTE = 1_000_000;

/**
 * Sizes of files as the guide's product states them for each platform (read 2026-11-22). It names types for three
 * platforms; that X and Pinterest also take WebP, and the types of the others, are from the media guidelines that
 * Ayrshare keeps for those who post through the platforms' APIs, ayrshare.com/docs/media-guidelines (read 2026-11-27).
 */
export const PLATFORM_LIMITS: Readonly<Record<SocialPlatform, PlatformLimits>> = {
  INSTAGRAM: { bytesMax: 30 * MEGABYTE, fileTypes: ['PNG', 'JPEG'] },
  FACEBOOK: { bytesMax: 30 * MEGABYTE, fileTypes: ['PNG', 'JPEG'] },
  TWITTER: { bytesMax: 5 * MEGABYTE, fileTypes: ['PNG', 'JPEG', 'WEBP'] },
  LINKEDIN: { bytesMax: 8 * MEGABYTE, fileTypes: ['PNG', 'JPEG'] },
  YOUTUBE: { bytesMax: 2 * MEGABYTE, fileTypes: ['PNG', 'JPEG'] },
  PINTEREST: { bytesMax: 20 * MEGABYTE, fileTypes: ['PNG', 'JPEG', 'WEBP'] },
  TIKTOK: { bytesMax: 10 * MEGABYTE, fileTypes: ['PNG', 'JPEG'] },
};

const FEED: SafeZone = { top: 0.15, bottom: 0.15, left: 0.1, right: 0.1 };
const PORTRAIT: SafeZone = { top: 0.2, bottom: 0.2, left: 0.1, right: 0.1 };
const STORY: SafeZone = { top: 0.25, bottom: 0.15, left: 0.1, right: 0.1 };
const BANNER: SafeZone = { top: 0.2, bottom: 0.1, left: 0.15, right: 0.15 };

type Row = readonly [
  id: string,
  platform: SocialPlatform,
  name: string,
  width: number,
  height: number,
  safeZone: SafeZone,
];

/**
 * The twenty formats of the guide's product, with its sizes and safe zones (read 2026-11-22). The first of a platform
 * is the one that is meant when only the platform is named.
 */
const ROWS: readonly Row[] = [
  ['instagram-feed-square', 'INSTAGRAM', 'Feed post, square', 1080, 1080, FEED],
  ['instagram-feed-portrait', 'INSTAGRAM', 'Feed post, portrait', 1080, 1350, PORTRAIT],
  ['instagram-story', 'INSTAGRAM', 'Story', 1080, 1920, STORY],
  ['instagram-reel', 'INSTAGRAM', 'Reel', 1080, 1920, STORY],
  ['facebook-feed', 'FACEBOOK', 'Feed post', 1200, 630, FEED],
  ['facebook-feed-square', 'FACEBOOK', 'Feed post, square', 1080, 1080, FEED],
  ['facebook-story', 'FACEBOOK', 'Story', 1080, 1920, STORY],
  ['facebook-cover', 'FACEBOOK', 'Cover photo', 820, 312, BANNER],
  ['twitter-post', 'TWITTER', 'Post', 1200, 675, FEED],
  ['twitter-card', 'TWITTER', 'Card', 1200, 600, FEED],
  ['twitter-header', 'TWITTER', 'Header', 1500, 500, BANNER],
  ['linkedin-feed', 'LINKEDIN', 'Feed post', 1200, 628, FEED],
  ['linkedin-feed-square', 'LINKEDIN', 'Feed post, square', 1080, 1080, FEED],
  ['linkedin-article', 'LINKEDIN', 'Article', 1200, 627, FEED],
  ['linkedin-company-cover', 'LINKEDIN', 'Company cover', 1128, 191, BANNER],
  ['youtube-thumbnail', 'YOUTUBE', 'Thumbnail', 1280, 720, FEED],
  ['youtube-channel-art', 'YOUTUBE', 'Channel art', 2560, 1440, BANNER],
  ['pinterest-pin', 'PINTEREST', 'Pin', 1000, 1500, PORTRAIT],
  ['pinterest-story-pin', 'PINTEREST', 'Story pin', 1080, 1920, STORY],
  ['tiktok-video-cover', 'TIKTOK', 'Video cover', 1080, 1920, STORY],
];

export const SOCIAL_FORMATS: readonly SocialFormat[] = ROWS.map(([id, platform, name, width, height, safeZone]) => ({
  id,
  platform,
  name,
  width,
  height,
  safeZone,
}));

export function findSocialFormat(id: string): SocialFormat | undefined {
  return SOCIAL_FORMATS.find((format) => format.id === id);
}

/** The first is the platform's default. */
export function formatsOf(platform: SocialPlatform): readonly SocialFormat[] {
  return SOCIAL_FORMATS.filter((format) => format.platform === platform);
}

/** Where what matters should stand, in whole pixels from the top left corner. */
export function safeArea({ width, height, safeZone }: SocialFormat): {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
} {
  const x = Math.round(width * safeZone.left);
  const y = Math.round(height * safeZone.top);
  const right = Math.round(width * (1 - safeZone.right));
  const bottom = Math.round(height * (1 - safeZone.bottom));
  return { x, y, width: right - x, height: bottom - y };
}
