/** File formats that results can have. Only PNG and WebP can be transparent. */
export const OUTPUT_FORMATS = ['PNG', 'JPEG', 'WEBP'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

export const MEDIA_TYPES = {
  PNG: 'image/png',
  JPEG: 'image/jpeg',
  WEBP: 'image/webp',
} as const satisfies Record<OutputFormat, string>;
