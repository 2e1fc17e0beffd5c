import { describe, expect, test } from 'vitest';
import { DEFAULT_MODELS, findModel, MODELS, routesOf } from '../../src/catalog/models.ts';
import { QUALITIES, qualityRank } from '../../src/catalog/operations.ts';
import { findRoute, ROUTES } from '../../src/catalog/routes.ts';
import { pixelsOf } from '../../src/catalog/sizes.ts';
import { isStylePreset, STYLE_PRESETS } from '../../src/catalog/style-presets.ts';
import { findTemplate, TEMPLATES } from '../../src/catalog/templates.ts';

/** Written out from the price table: every model and its class. */
const CLASSES = {
  'stability/ultra': 'PREMIUM',
  'stability/core': 'STANDARD',
  'stability/sd3.5-large': 'PREMIUM',
  'stability/sd3.5-large-turbo': 'STANDARD',
  'stability/sd3.5-medium': 'STANDARD',
  'stability/sd3.5-flash': 'DRAFT',
  'wavespeed/ideogram-v3-turbo': 'STANDARD',
  'wavespeed/ideogram-v3-balanced': 'PREMIUM',
  'wavespeed/qwen-image': 'DRAFT',
  'huggingface/flux-schnell': 'DRAFT',
  'huggingface/flux-dev': 'STANDARD',
  'huggingface/flux-krea-dev': 'STANDARD',
  'gemini/nano-banana': 'STANDARD',
  'gemini/flash-lite': 'DRAFT',
  'gemini/pro': 'PREMIUM',
  'gemini/imagen-4': 'STANDARD',
};

describe('the models', () => {
  test('are those of the price table, each in its class', () => {
    expect(Object.fromEntries(MODELS.map(({ id, quality }) => [id, quality]))).toEqual(CLASSES);
  });

  test('are found by full id and by name alone, because no two share one', () => {
    expect(new Set(MODELS.map(({ name }) => name)).size).toBe(MODELS.length);
    for (const model of MODELS) {
      expect(model.id).toBe(`${model.provider}/${model.name}`);
      expect(findModel(model.id)).toBe(model);
      expect(findModel(model.name)).toBe(model);
    }
  });

  test('have defaults of the very class they stand for, none of them retired', () => {
    for (const [provider, defaults] of Object.entries(DEFAULT_MODELS)) {
      for (const quality of QUALITIES) {
        const id = defaults[quality];
        if (id !== null) expect(findModel(id)).toMatchObject({ provider, quality });
        if (id !== null) expect(findModel(id)?.retired).toBeUndefined();
      }
    }
    expect(DEFAULT_MODELS).toEqual({
      stability: { DRAFT: 'stability/sd3.5-flash', STANDARD: 'stability/core', PREMIUM: 'stability/ultra' },
      wavespeed: {
        DRAFT: 'wavespeed/qwen-image',
        STANDARD: 'wavespeed/ideogram-v3-turbo',
        PREMIUM: 'wavespeed/ideogram-v3-balanced',
      },
      huggingface: { DRAFT: 'huggingface/flux-schnell', STANDARD: 'huggingface/flux-dev', PREMIUM: null },
      gemini: { DRAFT: 'gemini/flash-lite', STANDARD: 'gemini/nano-banana', PREMIUM: 'gemini/pro' },
    });
  });

  test('that are retired name a living model of the same class to use instead', () => {
    const retired = MODELS.filter((model) => model.retired);
    expect(retired.map(({ id }) => id)).toEqual(['gemini/imagen-4']);
    for (const { quality, retired: end } of retired)
      expect(findModel(end?.replacedBy ?? '')).toMatchObject({ quality, hosts: expect.anything() });
  });

  test('draw only sizes that make sense: whole, positive, within their own budget', () => {
    for (const { id, renders } of MODELS) {
      if (renders.kind === 'free') {
        expect([id, renders.sideMin % renders.multipleOf, renders.sideMax % renders.multipleOf]).toEqual([id, 0, 0]);
        expect(renders.sideMin).toBeLessThan(renders.sideMax);
      } else {
        expect(renders.sizes.length).toBeGreaterThan(0);
        for (const size of renders.sizes) {
          const [w = 0, h = 0] = size.aspectRatio.split(':').map(Number);
          expect(Number.isInteger(pixelsOf(size)) && pixelsOf(size) > 0).toBe(true);
          expect(Math.abs((size.width * h) / (size.height * w) - 1)).toBeLessThan(0.08);
        }
      }
    }
  });

  test('of gemini draw at the sizes that are known for certain', () => {
    const renders = findModel('nano-banana')?.renders;
    const sizes = renders?.kind === 'fixed' ? renders.sizes : [];
    expect(sizes).toContainEqual({ aspectRatio: '1:1', width: 1024, height: 1024, imageSize: '1K' });
    expect(sizes).toContainEqual({ aspectRatio: '9:16', width: 768, height: 1376, imageSize: '1K' });
    expect(new Set(sizes.map(({ imageSize }) => imageSize))).toEqual(new Set(['1K', '2K', '4K']));
    const lite = findModel('flash-lite')?.renders;
    expect(lite?.kind === 'fixed' && lite.sizes.every(({ imageSize }) => imageSize === undefined)).toBe(true);
  });
});

describe('the routes', () => {
  test('name the host only where a model has more than one, and are all different', () => {
    expect(new Set(ROUTES.map(({ id }) => id)).size).toBe(ROUTES.length);
    expect(ROUTES.filter(({ id }) => id.includes('@')).map(({ id }) => id)).toEqual([
      'huggingface/flux-schnell@hf-inference',
      'huggingface/flux-schnell@fal-ai',
    ]);
    for (const model of MODELS) for (const route of routesOf(model)) expect(findRoute(route.id)).toEqual(route);
    expect(findRoute('huggingface/flux-schnell')).toBeUndefined();
  });
});

describe('the templates', () => {
  test('are the twenty-six of the guide, with its sizes, styles and suggestions', () => {
    expect(
      TEMPLATES.map((t) => `${t.id} ${t.category} ${t.width}x${t.height} ${t.stylePreset} ${t.suggestedQuality}`),
    ).toEqual([
      'instagram_feed_square SOCIAL_MEDIA 1080x1080 photographic PREMIUM',
      'instagram_feed_portrait SOCIAL_MEDIA 1080x1350 photographic PREMIUM',
      'instagram_story SOCIAL_MEDIA 1080x1920 digital-art STANDARD',
      'instagram_reel_cover SOCIAL_MEDIA 1080x1920 cinematic PREMIUM',
      'facebook_feed SOCIAL_MEDIA 1200x630 photographic STANDARD',
      'facebook_feed_square SOCIAL_MEDIA 1080x1080 photographic STANDARD',
      'facebook_story SOCIAL_MEDIA 1080x1920 digital-art STANDARD',
      'facebook_cover SOCIAL_MEDIA 820x312 photographic PREMIUM',
      'twitter_post SOCIAL_MEDIA 1920x1080 photographic STANDARD',
      'twitter_card SOCIAL_MEDIA 1200x600 digital-art STANDARD',
      'twitter_header SOCIAL_MEDIA 1500x500 photographic PREMIUM',
      'linkedin_post SOCIAL_MEDIA 1200x628 photographic PREMIUM',
      'linkedin_post_square SOCIAL_MEDIA 1080x1080 photographic PREMIUM',
      'linkedin_article SOCIAL_MEDIA 1200x627 photographic PREMIUM',
      'linkedin_cover SOCIAL_MEDIA 1128x191 photographic PREMIUM',
      'youtube_thumbnail SOCIAL_MEDIA 1280x720 cinematic PREMIUM',
      'youtube_channel_art SOCIAL_MEDIA 1920x1080 photographic PREMIUM',
      'pinterest_pin SOCIAL_MEDIA 1000x1500 photographic PREMIUM',
      'pinterest_story SOCIAL_MEDIA 1080x1920 digital-art STANDARD',
      'tiktok_video_cover SOCIAL_MEDIA 1080x1920 cinematic PREMIUM',
      'blog_header BLOG_CONTENT 1920x1080 photographic PREMIUM',
      'blog_header_wide BLOG_CONTENT 2560x1080 photographic PREMIUM',
      'email_banner EMAIL_MARKETING 1920x1080 photographic STANDARD',
      'email_product EMAIL_MARKETING 1080x1080 photographic PREMIUM',
      'website_hero BRAND_ASSETS 2560x1080 photographic PREMIUM',
      'website_banner BRAND_ASSETS 1920x1080 photographic PREMIUM',
    ]);
  });

  test('are found by id alone, carry a platform that their id begins with, and say what they are for', () => {
    for (const template of TEMPLATES) {
      expect(findTemplate(template.id)).toBe(template);
      expect(template.id.toUpperCase().startsWith(template.platform)).toBe(true);
      expect(template.useCases.length).toBeGreaterThan(0);
      expect(isStylePreset(template.stylePreset)).toBe(true);
    }
  });
});

describe('small vocabularies', () => {
  test('qualities rank from draft to premium', () => {
    expect(QUALITIES.map(qualityRank)).toEqual([0, 1, 2]);
    expect(QUALITIES).toEqual(['DRAFT', 'STANDARD', 'PREMIUM']);
  });

  test('there are seventeen style presets, and no name that every object inherits is one', () => {
    expect(Object.keys(STYLE_PRESETS)).toHaveLength(17);
    for (const name of ['constructor', 'hasOwnProperty', '__proto__']) expect(isStylePreset(name)).toBe(false);
  });
});
