/** What can be asked for. The names are those of the schema and of the price book. */
export const OPERATIONS = ['GENERATE', 'EDIT', 'UPSCALE', 'OPTIMIZE'] as const;
export type Operation = (typeof OPERATIONS)[number];

export const QUALITIES = ['DRAFT', 'STANDARD', 'PREMIUM'] as const;
/** Both what a customer asks for and the class a model belongs to. Ordered from lowest to highest. */
export type Quality = (typeof QUALITIES)[number];

export function qualityRank(quality: Quality): number {
  return QUALITIES.indexOf(quality);
}

export const EDIT_KINDS = [
  'removeBackground',
  'erase',
  'inpaint',
  'outpaint',
  'searchReplace',
  'searchRecolor',
  'relight',
  'general',
] as const;
export type EditKind = (typeof EDIT_KINDS)[number];

export const UPSCALE_MODES = ['FAST', 'CONSERVATIVE', 'CREATIVE'] as const;
export type UpscaleMode = (typeof UPSCALE_MODES)[number];

export const UPSCALE_PRESETS = ['WEB', 'PRINT', 'SOCIAL'] as const;
export type UpscalePreset = (typeof UPSCALE_PRESETS)[number];

/** What a tier can be allowed to use: an operation, an edit kind where kinds differ, or the library. */
export const MODULES = ['generate', 'optimize', 'library', 'upscale', ...EDIT_KINDS] as const;
export type Module = (typeof MODULES)[number];
