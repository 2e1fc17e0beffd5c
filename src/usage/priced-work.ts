import { findModel } from '../catalog/models.ts';
import { modelAsked } from '../catalog/requests.ts';
import type { Size } from '../catalog/sizes.ts';
import type { requestOf } from '../jobs/job.ts';
import type { PricedWork } from '../pricing/prices.ts';

/** What one step of a job asked for. */
export type Asked = ReturnType<typeof requestOf>;

/** What a request is priced as: by the size of its result, or by that of the picture it works on, which is null where it is not known. */
export function pricedWorkOf(request: Asked, result: Size, source: Size | null): PricedWork {
  switch (request.operation) {
    case 'GENERATE': {
      const named = modelAsked(request);
      return {
        kind: 'generate',
        quality: request.quality,
        model: named === null ? null : (findModel(named) ?? null),
        size: result,
      };
    }
    case 'EDIT': {
      const { kind } = request.edit;
      return { kind: 'edit', edit: kind, size: kind === 'outpaint' ? result : source };
    }
    case 'UPSCALE':
      return { kind: 'upscale', mode: request.mode, size: source };
    case 'OPTIMIZE':
      return { kind: 'optimize' };
  }
}
