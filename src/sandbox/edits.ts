import type { Sharp } from 'sharp';
import type { Edit } from './edit.ts';
import { drawCutOut, drawGraded, drawOutpainted, drawRelit, drawUpscaled } from './edits.pictures.ts';
import { drawMasked, drawRecoloured, drawReplaced } from './edits.regions.ts';
import { imageOf } from './rasters.ts';
import type { Subject } from './scene.ts';

/** What the result of an edit is to be, beside the pictures that it is made from. */
export interface Commissioned extends Subject {
  readonly caption: string;
}

/** Does on real pixels what was asked for: the same edit of the same pictures always has the same result. */
export async function drawEdit(edit: Edit, wanted: Commissioned): Promise<Sharp> {
  switch (edit.kind) {
    case 'erase':
    case 'inpaint':
      return imageOf(await drawMasked(edit, wanted));
    case 'replace':
      return imageOf(await drawReplaced(edit, wanted));
    case 'recolour':
      return imageOf(await drawRecoloured(edit, wanted));
    case 'remove-background':
      return imageOf(await drawCutOut(edit));
    case 'outpaint':
      return drawOutpainted(edit, wanted);
    case 'relight':
      return drawRelit(edit, wanted);
    case 'upscale':
      return drawUpscaled(edit, wanted);
    case 'general':
      return drawGraded(edit, wanted);
  }
}
