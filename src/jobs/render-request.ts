import type { GenerateRequest } from '../catalog/requests.ts';
import { STYLE_PRESETS } from '../catalog/style-presets.ts';
import type { GenerateOrder } from '../providers/provider.ts';
import type { PlannedRoute } from '../routing/planned-route.ts';

/** What a route is asked to draw for one image of a batch. */
export function renderRequest(request: GenerateRequest, index: number, { route, render }: PlannedRoute): GenerateOrder {
  const { prompt, negativePrompt, stylePreset } = request;
  const styleInWords = stylePreset !== null && !route.model.stylePresetField;
  return {
    operation: 'GENERATE',
    host: route.host.name,
    vendorModel: route.host.vendorModel,
    prompt: styleInWords ? `${prompt}, ${STYLE_PRESETS[stylePreset]}` : prompt,
    negativePrompt,
    stylePreset: styleInWords ? null : stylePreset,
    seed: seedOf(request, index),
    render,
  };
}

/** The seed of one image of a batch: each has its own, so that a batch is not the same picture many times. */
export function seedOf(request: GenerateRequest, index: number): number | null {
  return request.seed === null ? null : request.seed + index;
}
