import { expect } from 'vitest';
import type { TestGateway } from './gateway.ts';

export interface JobAnswer {
  readonly id: string;
  readonly status: string;
  readonly credits: number;
  readonly images: readonly {
    readonly id: string;
    readonly status: string;
    readonly failure: { readonly code: string; readonly message: string } | null;
    readonly attempts: readonly { readonly route: string; readonly outcome: string | null }[];
    readonly asset: {
      readonly id: string;
      readonly url: string;
      readonly width: number;
      readonly height: number;
      readonly bytes: number;
      readonly sha256: string;
      readonly cost: number;
    } | null;
  }[];
  readonly receipt: {
    readonly quoted: number;
    readonly held: number;
    readonly captured: number;
    readonly released: number;
    readonly settled: boolean;
    readonly freeAllowances: readonly { readonly provider: string; readonly images: number }[];
    readonly entries: readonly {
      readonly kind: string;
      readonly bucket: string;
      readonly amount: number;
      readonly imageId: string | null;
    }[];
  };
}

export const JOB = `fragment J on Job { id status credits
  images { id status failure { code message } attempts { route outcome } asset { id url width height bytes sha256 cost } }
  receipt { quoted held captured released settled freeAllowances { provider images } entries { kind bucket amount imageId } } }`;

export const REFUSALS = `fragment R on Refusal { __typename message
  ... on InsufficientCredits { required available short resetsAt } ... on TierTooLow { tier requiredTier feature }
  ... on TooManyImages { requested limit requiredTier } ... on RateLimited { limit resetsAt } ... on TooManyJobs { open limit }
  ... on UnsupportedSize { requestedSize { width height } allowed } ... on UnsupportedOption { option value supported }
  ... on ModelRetired { model replacedBy } ... on QuoteInvalid { reason } ... on CapExceeded { cap required spent creditsLimit } }`;

export interface GenerateAnswer {
  readonly generate:
    | { readonly __typename: 'Submission'; readonly replayed: boolean; readonly job: JobAnswer }
    | {
        readonly __typename: 'Refused';
        readonly refusals: readonly ({ readonly __typename: string; readonly message: string } & Record<
          string,
          unknown
        >)[];
        readonly estimate: { readonly credits: number | null; readonly quote: string | null };
      };
}

export interface SubmitOptions {
  readonly quote?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  readonly waitSeconds?: number | undefined;
}

/** Sends the mutation and answers whatever came. */
export function submit(gateway: TestGateway, key: string, input: Record<string, unknown>, options: SubmitOptions = {}) {
  return gateway.ask<GenerateAnswer>(
    { key },
    `mutation ($input: GenerateInput!, $quote: String, $idempotencyKey: String, $waitSeconds: Int) {
      generate(input: $input, quote: $quote, idempotencyKey: $idempotencyKey, waitSeconds: $waitSeconds) {
        __typename ... on Submission { replayed job { ...J } } ... on Refused { refusals { ...R } estimate { credits quote } } } } ${JOB} ${REFUSALS}`,
    { input, waitSeconds: 0, ...options },
  );
}

/** Sends the mutation, which must be accepted. */
export async function generate(
  gateway: TestGateway,
  key: string,
  input: Record<string, unknown>,
  options: SubmitOptions = {},
): Promise<{ job: JobAnswer; replayed: boolean; billing: Record<string, unknown> }> {
  const { data, errors, extensions } = await submit(gateway, key, input, options);
  expect(errors).toBeUndefined();
  const answer = data?.generate;
  if (answer?.__typename !== 'Submission') throw new Error(`refused: ${JSON.stringify(answer)}`);
  return { job: answer.job, replayed: answer.replayed, billing: extensions?.billing as Record<string, unknown> };
}

/** Opens an account through the operator's mutation and answers its key. */
export async function open(
  gateway: TestGateway,
  input: { tier: string; limits?: Record<string, number>; spendCap?: number; role?: string },
): Promise<string> {
  return (await openAccount(gateway, input)).key;
}

export async function openAccount(
  gateway: TestGateway,
  input: { tier: string; limits?: Record<string, number>; spendCap?: number; role?: string },
): Promise<{ id: string; key: string; keyId: string }> {
  const { data, errors } = await gateway.ask<{
    createAccount: { account: { id: string }; issued: { secret: string; key: { id: string } } };
  }>(
    'OPERATOR',
    'mutation ($input: CreateAccountInput!) { createAccount(input: $input) { account { id } issued { secret key { id } } } }',
    { input: { name: 'a customer', ...input } },
  );
  expect(errors).toBeUndefined();
  if (!data) throw new Error('no account was opened');
  return {
    id: data.createAccount.account.id,
    key: data.createAccount.issued.secret,
    keyId: data.createAccount.issued.key.id,
  };
}
