import { type EditRequest, picturesOfEdit, wordsOfEdit } from '../catalog/edits.ts';
import type { GenerateRequest } from '../catalog/requests.ts';
import type { UpscaleRequest } from '../catalog/upscale-requests.ts';
import { canonicalHash } from '../platform/canonical-hash.ts';
import type { OptimizeRequest } from '../social/optimize-request.ts';

/** One operation in canonical form. */
export type OperationRequest = GenerateRequest | EditRequest | UpscaleRequest | OptimizeRequest;

/** One step of a workflow in canonical form. */
export interface StepRequest {
  readonly id: string;
  /** The earlier step whose pictures this one works on; its own request then names no image. */
  readonly from: string | null;
  readonly times: number;
  readonly request: OperationRequest;
}

/** Operations that build on each other. */
export interface WorkflowRequest {
  readonly operation: 'WORKFLOW';
  readonly steps: readonly StepRequest[];
}

/** What a job runs. */
export type JobRequest = OperationRequest | WorkflowRequest;
export type JobOperation = JobRequest['operation'];

/** The steps of any job: a single operation is one step without a name. */
export function stepsOf(request: JobRequest): readonly StepRequest[] {
  return request.operation === 'WORKFLOW' ? request.steps : [{ id: '', from: null, times: 1, request }];
}

/** The asset that an operation works on; null where it works on none, or where that is not known yet. */
export function imageOf(request: OperationRequest): string | null {
  return request.operation === 'GENERATE' ? null : request.image;
}

/** Every asset that a request names, by the field that names it. */
export function assetsOf(request: JobRequest): readonly { readonly field: string; readonly id: string }[] {
  return stepsOf(request).flatMap((step, index) => {
    const isStep = request.operation === 'WORKFLOW';
    const image = imageOf(step.request);
    const others = step.request.operation === 'EDIT' ? picturesOfEdit(step.request.edit) : {};
    const field = (name: string) => (isStep ? `steps[${index}].operation.edit.${name}` : name);
    return [
      ...(image === null ? [] : [{ field: isStep ? `steps[${index}].image` : 'image', id: image }]),
      ...Object.entries(others).map(([name, id]) => ({ field: field(name), id })),
    ];
  });
}

/** The words that pictures are asked for with; null for an operation without any. */
export function promptOf(request: OperationRequest): string | null {
  switch (request.operation) {
    case 'GENERATE':
      return request.prompt;
    case 'EDIT':
      return wordsOfEdit(request.edit);
    case 'UPSCALE':
      return request.words?.prompt ?? null;
    case 'OPTIMIZE':
      return null;
  }
}

/** The words of all steps, for a log. */
export function promptsIn(request: JobRequest): string | null {
  const prompts = new Set(stepsOf(request).flatMap((step) => promptOf(step.request) ?? []));
  return prompts.size > 0 ? [...prompts].join(' / ') : null;
}

/** Everything that a customer said in words, for whoever must not repeat it. */
export function wordsIn(request: OperationRequest): readonly string[] {
  const said = (value: unknown): string[] => (typeof value === 'string' ? [value] : []);
  switch (request.operation) {
    case 'GENERATE':
      return [request.prompt, ...said(request.negativePrompt)];
    case 'EDIT':
      return Object.entries(request.edit).flatMap(([name, value]) => (/prompt$/i.test(name) ? said(value) : []));
    case 'UPSCALE':
      return [...said(request.words?.prompt), ...said(request.words?.negativePrompt)];
    case 'OPTIMIZE':
      return [];
  }
}

/** The seed of the first picture; null where none was given. */
export function seedIn(request: OperationRequest): number | null {
  switch (request.operation) {
    case 'GENERATE':
    case 'EDIT':
      return request.seed;
    case 'UPSCALE':
      return request.words?.seed ?? null;
    case 'OPTIMIZE':
      return null;
  }
}

/** What the `run`-th picture is asked for with: each has a seed of its own, so that they are not all the same. */
export function seededFor(request: OperationRequest, run: number): OperationRequest {
  const seed = seedIn(request);
  if (seed === null || request.operation === 'OPTIMIZE') return request;
  if (request.operation === 'UPSCALE')
    return { ...request, words: request.words && { ...request.words, seed: seed + run } };
  return { ...request, seed: seed + run };
}

/**
 * Same for every request that means the same picture. `image` is the asset that was worked on, and `format` the social
 * format it was cut to.
 */
export function pictureHash(request: OperationRequest, image: string | null, format: string | null): string {
  switch (request.operation) {
    case 'GENERATE': {
      const { count: _count, ...picture } = request;
      return canonicalHash(picture);
    }
    case 'OPTIMIZE':
      return canonicalHash({ ...request, image, formats: [format] });
    default:
      return canonicalHash({ ...request, image });
  }
}
