import { expect } from 'vitest';
import type { TestGateway } from './gateway.ts';
import { fetched } from './pixels.ts';
import { JOB, type JobAnswer, REFUSALS, type SubmitOptions } from './stories.ts';

export interface StepAnswer {
  readonly id: string;
  readonly operation: string;
  readonly images: number;
  readonly delivered: number;
  readonly undelivered: number;
  readonly quoted: number;
  readonly spent: number;
}

/** A job with what only operations on pictures have. */
export interface OperationJob extends Omit<JobAnswer, 'images'> {
  readonly operation: string;
  readonly steps: readonly StepAnswer[];
  readonly images: readonly (JobAnswer['images'][number] & {
    readonly step: number;
    readonly size: { readonly width: number; readonly height: number };
    readonly source: { readonly id: string } | null;
    readonly format: { readonly id: string; readonly safeZone: { readonly top: number } } | null;
  })[];
}

export type Refused = { readonly __typename: string; readonly message: string } & Record<string, unknown>;

export type SubmitAnswer =
  | { readonly __typename: 'Submission'; readonly replayed: boolean; readonly job: OperationJob }
  | {
      readonly __typename: 'Refused' | 'WorkflowRefused';
      readonly refusals: readonly Refused[];
      readonly estimate: { readonly credits: number | null; readonly quote: string | null };
    };

const OPERATION_JOB = `fragment O on Job { ...J operation steps { id operation images delivered undelivered quoted spent }
  images { step size { width height } source { id } format { id safeZone { top } } } } ${JOB}`;
const SOURCE_REFUSAL = `... on UnsupportedSource { source { width height } allowed fits { width height } }`;

const OPTIONS = '$quote: String, $idempotencyKey: String, $waitSeconds: Int';
const GIVEN = 'quote: $quote, idempotencyKey: $idempotencyKey, waitSeconds: $waitSeconds';

interface Mutation {
  readonly name: 'editImage' | 'upscaleImage' | 'optimizeForSocial' | 'runWorkflow';
  readonly argument: string;
  readonly type: string;
  readonly refused: string;
}

const MUTATIONS = {
  edit: { name: 'editImage', argument: 'edit', type: 'EditInput!', refused: 'Refused' },
  upscale: { name: 'upscaleImage', argument: 'upscale', type: 'UpscaleInput!', refused: 'Refused' },
  optimize: { name: 'optimizeForSocial', argument: 'optimize', type: 'OptimizeInput!', refused: 'Refused' },
  workflow: { name: 'runWorkflow', argument: 'input', type: 'WorkflowInput!', refused: 'WorkflowRefused' },
} as const satisfies Record<string, Mutation>;
export type OperationName = keyof typeof MUTATIONS;

/** Sends the mutation and answers whatever came. `image` is null for a workflow. */
export function submitOperation(
  gateway: TestGateway,
  key: string,
  operation: OperationName,
  image: string | null,
  input: Record<string, unknown>,
  options: SubmitOptions = {},
) {
  const { name, argument, type, refused } = MUTATIONS[operation];
  const [declared, given] = image === null ? ['', ''] : ['$image: ID!, ', 'image: $image, '];
  return gateway.ask<{ answer: SubmitAnswer }>(
    { key },
    `mutation (${declared}$input: ${type}, ${OPTIONS}) {
      answer: ${name}(${given}${argument}: $input, ${GIVEN}) {
        __typename ... on Submission { replayed job { ...O } }
        ... on ${refused} { refusals { ...R ${SOURCE_REFUSAL} } estimate { credits quote } } } } ${OPERATION_JOB} ${REFUSALS}`,
    { input, ...(image !== null && { image }), waitSeconds: 30, ...options },
  );
}

/** Sends the mutation, which must be accepted, and waits for the job. */
export async function runOperation(
  gateway: TestGateway,
  key: string,
  operation: OperationName,
  image: string | null,
  input: Record<string, unknown>,
  options: SubmitOptions = {},
): Promise<OperationJob> {
  const { data, errors } = await submitOperation(gateway, key, operation, image, input, options);
  expect(errors).toBeUndefined();
  const answer = data?.answer;
  if (answer?.__typename !== 'Submission') throw new Error(`refused: ${JSON.stringify(answer)}`);
  return answer.job;
}

/** Sends the mutation, which must be refused, and answers why. */
export async function refusalsOf(
  gateway: TestGateway,
  key: string,
  operation: OperationName,
  image: string | null,
  input: Record<string, unknown>,
  options: SubmitOptions = {},
): Promise<readonly Refused[]> {
  const { data, errors } = await submitOperation(gateway, key, operation, image, input, options);
  expect(errors).toBeUndefined();
  const answer = data?.answer;
  if (answer?.__typename === 'Submission' || !answer) throw new Error(`accepted: ${JSON.stringify(answer)}`);
  return answer.refusals;
}

const ESTIMATES = { edit: 'estimateEdit', upscale: 'estimateUpscale', optimize: 'estimateOptimize' } as const;

export interface EstimateAnswer {
  readonly credits: number | null;
  readonly quote: string | null;
  readonly size: { readonly width: number; readonly height: number } | null;
  readonly lines: readonly {
    readonly kind: string;
    readonly label: string;
    readonly quantity: number;
    readonly credits: number;
  }[];
  readonly routes: readonly { readonly id: string }[];
  readonly alternatives: readonly {
    readonly edit: string | null;
    readonly mode: string | null;
    readonly credits: number;
    readonly saves: number;
  }[];
  readonly affordableCount: number | null;
  readonly notes: readonly string[];
  readonly preflight: { readonly ok: boolean; readonly refusals: readonly Refused[] };
}

export async function estimateOperation(
  gateway: TestGateway,
  key: string,
  operation: keyof typeof ESTIMATES,
  image: string | null,
  input: Record<string, unknown>,
): Promise<EstimateAnswer> {
  const { argument, type } = MUTATIONS[operation];
  const name = ESTIMATES[operation];
  const { data, errors } = await gateway.ask<{ estimate: EstimateAnswer }>(
    { key },
    `query ($image: ID, $input: ${type}) { estimate: ${name}(image: $image, ${argument}: $input) {
      credits quote size { width height } lines { kind label quantity credits } routes { id }
      alternatives { edit mode credits saves } affordableCount notes preflight { ok refusals { ...R ${SOURCE_REFUSAL} } } } } ${REFUSALS}`,
    { image, input },
  );
  expect(errors).toBeUndefined();
  if (!data) throw new Error('no estimate');
  return data.estimate;
}

/** Brings a picture into the library as a client does, and answers the id of its asset. */
export async function upload(gateway: TestGateway, key: string, bytes: Buffer): Promise<string> {
  const { data, errors } = await gateway.ask<{ createUpload: { id: string; url: string } }>(
    { key },
    'mutation { createUpload { id: assetId url } }',
  );
  expect(errors).toBeUndefined();
  if (!data) throw new Error('no upload');
  const response = await fetch(data.createUpload.url, { method: 'PUT', body: new Uint8Array(bytes) });
  expect([response.status, await response.text()]).toEqual([201, expect.anything()]);
  return data.createUpload.id;
}

/** The bytes of the only picture that a job delivered. */
export async function onlyPicture(job: OperationJob): Promise<Buffer> {
  expect(job).toMatchObject({ status: 'SUCCEEDED', images: [{ status: 'DELIVERED' }] });
  return fetched(job.images[0]?.asset?.url ?? '');
}
