/**
 * The seventeen style presets of Stability's v2beta API. Where a vendor has no such field, the preset's words are put
 * behind the prompt instead, and the estimate says so.
 */
export const STYLE_PRESETS = {
  enhance: 'enhanced detail, crisp and vivid',
  anime: 'anime style',
  photographic: 'photorealistic photograph',
  'digital-art': 'digital art',
  'comic-book': 'comic book style',
  'fantasy-art': 'fantasy art',
  'line-art': 'clean line art',
  'analog-film': 'analog film photograph',
  'neon-punk': 'neon punk style',
  isometric: 'isometric view',
  'low-poly': 'low poly style',
  origami: 'origami, folded paper',
  'modeling-compound': 'modelling clay style',
  cinematic: 'cinematic still',
  '3d-model': '3D model render',
  'pixel-art': 'pixel art',
  'tile-texture': 'seamless tile texture',
} as const satisfies Record<string, string>;

export type StylePreset = keyof typeof STYLE_PRESETS;

export function isStylePreset(name: string): name is StylePreset {
  return Object.hasOwn(STYLE_PRESETS, name);
}
