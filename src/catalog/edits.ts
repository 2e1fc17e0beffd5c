import type { OutputFormat } from './output-formats.ts';
import type { Size } from './sizes.ts';
import type { StylePreset } from './style-presets.ts';

export const LIGHT_DIRECTIONS = ['LEFT', 'RIGHT', 'ABOVE', 'BELOW'] as const;
export type LightDirection = (typeof LIGHT_DIRECTIONS)[number];

export type Margins = Readonly<Record<'left' | 'right' | 'up' | 'down', number>>;

/** One kind of edit with everything filled in. Pictures are named by the ids of their assets; null is none. */
export type Edit =
  | { readonly kind: 'removeBackground' }
  | { readonly kind: 'erase'; readonly mask: string | null; readonly growMask: number }
  | {
      readonly kind: 'inpaint';
      readonly prompt: string;
      readonly negativePrompt: string | null;
      readonly mask: string | null;
      readonly growMask: number;
      readonly stylePreset: StylePreset | null;
    }
  | ({
      readonly kind: 'outpaint';
      readonly creativity: number;
      readonly prompt: string | null;
      readonly stylePreset: StylePreset | null;
    } & Margins)
  | {
      readonly kind: 'searchReplace';
      readonly searchPrompt: string;
      readonly prompt: string;
      readonly negativePrompt: string | null;
      readonly growMask: number;
      readonly stylePreset: StylePreset | null;
    }
  | {
      readonly kind: 'searchRecolor';
      readonly selectPrompt: string;
      readonly prompt: string;
      readonly negativePrompt: string | null;
      readonly growMask: number;
      readonly stylePreset: StylePreset | null;
    }
  | {
      readonly kind: 'relight';
      readonly backgroundPrompt: string | null;
      readonly backgroundReference: string | null;
      readonly foregroundPrompt: string | null;
      readonly negativePrompt: string | null;
      readonly preserveOriginalSubject: number;
      readonly originalBackgroundDepth: number;
      readonly keepOriginalBackground: boolean;
      readonly lightSourceDirection: LightDirection | null;
      readonly lightReference: string | null;
      /** Null without a light. */
      readonly lightSourceStrength: number | null;
    }
  | { readonly kind: 'general'; readonly prompt: string };

/** The same wish in canonical form: inputs that mean the same edit are equal here. */
export interface EditRequest {
  readonly operation: 'EDIT';
  /** The asset that is edited; null where it is not known yet, or comes from an earlier step. */
  readonly image: string | null;
  readonly edit: Edit;
  readonly seed: number | null;
  readonly outputFormat: OutputFormat;
}

/** The words that an edit is asked for with, where it has any. */
export function wordsOfEdit(edit: Edit): string | null {
  if ('prompt' in edit) return edit.prompt;
  return edit.kind === 'relight' ? (edit.backgroundPrompt ?? edit.foregroundPrompt) : null;
}

/** The exact size that an edit makes of a picture. */
export function editedSize(edit: Edit, { width, height }: Size): Size {
  if (edit.kind !== 'outpaint') return { width, height };
  return { width: width + edit.left + edit.right, height: height + edit.up + edit.down };
}

/** The other pictures that an edit needs, by the field that names them. */
export function picturesOfEdit(edit: Edit): Readonly<Record<string, string>> {
  const named = {
    ...('mask' in edit && { mask: edit.mask }),
    ...(edit.kind === 'relight' && {
      backgroundReference: edit.backgroundReference,
      lightReference: edit.lightReference,
    }),
  };
  return Object.fromEntries(Object.entries(named).filter((pair): pair is [string, string] => pair[1] !== null));
}
