import { SentPicture, type Size } from './sent.ts';

/** Where the light comes from. */
export type Direction = 'left' | 'right' | 'above' | 'below';

/** A region of a picture that the client draws, in its alpha channel or beside it. */
interface Masked {
  readonly image: SentPicture;
  /** White is edited, black is kept; null where the transparent part of the image is edited. */
  readonly mask: SentPicture | null;
  /** By how many pixels the mask is made larger. */
  readonly growMask: number;
}

/** A region of a picture that the client describes. */
interface Searched {
  readonly image: SentPicture;
  readonly words: string;
  readonly growMask: number;
}

/** Pixels added at each side. */
export interface Margins {
  readonly left: number;
  readonly right: number;
  readonly up: number;
  readonly down: number;
}

/** The light that falls on a picture. */
export interface Light {
  /** Null where only `reference` says what the light is like, or nothing does. */
  readonly direction: Direction | null;
  readonly reference: SentPicture | null;
  /** From 0, no light at all, to 1. */
  readonly strength: number;
}

/** A subject before another background and in another light. */
export interface Relit {
  readonly image: SentPicture;
  /** Null where the background is drawn from words. */
  readonly background: SentPicture | null;
  readonly keepsBackground: boolean;
  /** From 0 to 1, how little of the light falls on the subject. */
  readonly preservation: number;
  readonly light: Light;
}

/** What is to be done with pictures that were sent along, with everything that decides how the result looks. */
export type Edit =
  | ({ readonly kind: 'erase' | 'inpaint' } & Masked)
  | ({ readonly kind: 'replace' } & Searched)
  | ({ readonly kind: 'recolour' } & Searched)
  | { readonly kind: 'outpaint'; readonly image: SentPicture; readonly margins: Margins }
  | { readonly kind: 'remove-background'; readonly image: SentPicture }
  | ({ readonly kind: 'relight' } & Relit)
  /** `detail`, from 0 to 1, is how much is added that was not there. */
  | { readonly kind: 'upscale'; readonly image: SentPicture; readonly detail: number }
  /** What words alone describe. `others` are pictures that were sent beside the one that is edited. */
  | { readonly kind: 'general'; readonly image: SentPicture; readonly others?: readonly string[] };

/** The edits of one kind. */
export type EditOf<K extends Edit['kind']> = Extract<Edit, { readonly kind: K }>;

/** The size of the result of an edit that is not asked for a size of its own. */
export function naturalSize(edit: Edit): Size {
  const { width, height } = edit.image;
  if (edit.kind !== 'outpaint') return { width, height };
  const { left, right, up, down } = edit.margins;
  return { width: left + width + right, height: up + height + down };
}

/** How many bytes of pictures an edit, or any part of one, holds in memory. */
export function bytesHeld(part: unknown): number {
  if (part instanceof SentPicture) return part.bytes.length;
  if (typeof part !== 'object' || part === null) return 0;
  return Object.values(part).reduce<number>((sum, each) => sum + bytesHeld(each), 0);
}
