import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from './random.ts';
import type { Tally } from './tally.ts';

export interface Answer<T> {
  readonly data: T | null;
  /** The code of the first error; null without any. */
  readonly error: string | null;
}

/** No answer that could be relied on: a connection that broke, a gateway that was away, or one that says to try again. */
export class Unanswered extends Error {
  override readonly name = 'Unanswered';
}

const ANSWER_MS_MAX = 12_000;
const TRY_AGAIN_MS = 250;
/** Errors after which a client cannot know what has happened. */
const TRY_AGAIN_CODES: ReadonlySet<string> = new Set(['UNAVAILABLE', 'INTERNAL_SERVER_ERROR']);

/** Asks gateways as a client across a bad network does: any of them, and again until there is an answer. */
export class Api {
  readonly #doors: readonly string[];
  readonly #troubles: Tally;
  readonly #answerMsMax: number;

  /** `troubles` counts why there was no answer. */
  constructor(doors: readonly string[], troubles: Tally, answerMsMax = ANSWER_MS_MAX) {
    this.#doors = doors;
    this.#troubles = troubles;
    this.#answerMsMax = answerMsMax;
  }

  /** Asks a gateway once. @throws Unanswered */
  async ask<T>(key: string, random: Random, query: string, variables: object = {}): Promise<Answer<T>> {
    try {
      const response = await fetch(`${random.pick(this.#doors)}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${key}` },
        body: JSON.stringify({ query, variables }),
        signal: AbortSignal.timeout(this.#answerMsMax),
      });
      const body = (await response.json()) as {
        data?: T | null;
        errors?: readonly { readonly extensions?: { readonly code?: string } }[];
      };
      // What has neither data nor errors was not answered by the schema, as by a server that is closing.
      const isOfSchema = body.data !== undefined || body.errors !== undefined;
      if (!isOfSchema) throw new Unanswered(`HTTP ${response.status} ${JSON.stringify(body).slice(0, 80)}`);
      const error = body.errors ? (body.errors[0]?.extensions?.code ?? `HTTP ${response.status}`) : null;
      if (error !== null && TRY_AGAIN_CODES.has(error)) throw new Unanswered(error);
      return { data: body.data ?? null, error };
    } catch (error) {
      const trouble = error instanceof Unanswered ? error : new Unanswered(nameOf(error), { cause: error });
      this.#troubles.add(trouble.message);
      throw trouble;
    }
  }

  /** Asks until there is an answer, or until `giveUp`; tells how often it had to. @throws Unanswered after `giveUp`. */
  async insist<T>(
    key: string,
    random: Random,
    giveUp: AbortSignal,
    query: string,
    variables: object = {},
  ): Promise<Answer<T> & { readonly tries: number }> {
    for (let tries = 1; ; tries++) {
      try {
        return { ...(await this.ask<T>(key, random, query, variables)), tries };
      } catch (error) {
        if (giveUp.aborted) throw error;
        await wait(random.whole(TRY_AGAIN_MS, 2 * TRY_AGAIN_MS));
      }
    }
  }
}

function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof Error && 'code' in cause) return String(cause.code);
  return error.name === 'TypeError' ? error.message : error.name;
}
