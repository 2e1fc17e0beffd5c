import type { PictureFormat } from './pictures.ts';

/** A picture that somebody asked for, read and found to be in order. */
export interface Order {
  readonly model: string;
  readonly prompt: string;
  readonly seed: number;
  readonly width: number;
  readonly height: number;
  readonly format: PictureFormat;
  /** How many at once; 1 where it is not said. */
  readonly pictures?: number;
  /** How long the vendor usually takes for it. */
  readonly seconds: number;
}
