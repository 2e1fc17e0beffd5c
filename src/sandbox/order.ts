import type { Edit } from './edit.ts';
import type { PictureFormat } from './pictures.ts';

/** A picture that somebody asked for, read and found to be in order. */
export interface Order {
  readonly model: string;
  /** Empty where the operation knows none. */
  readonly prompt: string;
  /** Null where the operation knows none. */
  readonly seed: number | null;
  readonly width: number;
  readonly height: number;
  readonly format: PictureFormat;
  /** How many at once; 1 where it is not said. */
  readonly pictures?: number;
  /** How long the vendor usually takes for it. */
  readonly seconds: number;
  /** What is done to the pictures that came along with it; absent where the picture is drawn from the prompt alone. */
  readonly edit?: Edit;
}
