import type { NewOutput, StoredPicture } from '../assets/asset.ts';
import type { Model } from '../catalog/models.ts';
import { type OperationRequest, pictureHash, promptOf, seededFor, seedIn } from '../estimates/job-request.ts';
import type { ImageWork } from './image-work.ts';

/** Where the picture of an image comes from and what it costs. `model` is null for what we make ourselves. */
export function lineageOf(
  { job, image, request, source }: ImageWork,
  model: Pick<Model, 'id' | 'provider'> | null,
  vendorSeed: number | null = null,
): Omit<NewOutput, keyof StoredPicture> {
  const asked = seededFor(request, image.run);
  return {
    accountId: job.accountId,
    operation: request.operation,
    provider: model?.provider ?? null,
    model: model?.id ?? null,
    quality: request.operation === 'GENERATE' ? request.quality : null,
    prompt: promptOf(request),
    negativePrompt: negativePromptOf(request),
    seed: vendorSeed ?? seedIn(asked),
    inputHash: pictureHash(asked, source?.id ?? null, image.format),
    jobId: job.id,
    imageId: image.id,
    parentId: source?.id ?? null,
    credits: image.credits,
    priceVersion: job.priceVersion,
  };
}

function negativePromptOf(request: OperationRequest): string | null {
  switch (request.operation) {
    case 'GENERATE':
      return request.negativePrompt;
    case 'EDIT':
      return 'negativePrompt' in request.edit ? request.edit.negativePrompt : null;
    case 'UPSCALE':
      return request.words?.negativePrompt ?? null;
    case 'OPTIMIZE':
      return null;
  }
}
