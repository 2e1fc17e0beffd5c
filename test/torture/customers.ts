import { setTimeout as wait } from 'node:timers/promises';
import type { Answer, Api } from './api.ts';
import { Unanswered } from './api.ts';
import type { Random } from './random.ts';
import type { Tally } from './tally.ts';
import { estimateOf, nextWish, submissionOf, type Wish } from './wishes.ts';

export interface Account {
  readonly id: string;
  readonly key: string;
  /** The id of a budget that some of its wishes name. */
  readonly budget: string;
}

/** What a customer was told of one key, which must hold for ever after. */
export interface Told {
  readonly accountId: string;
  readonly idempotencyKey: string;
  /** Null for a refusal, and for a mistake in what was sent. */
  readonly jobId: string | null;
  /** Credits that the job was accepted for, and that the quote said, where one was used. */
  readonly credits: number | null;
  readonly quoted: number | null;
  /** Whether the same was sent before without an answer, so that one of those may have been accepted later. */
  readonly wasUnanswered: boolean;
}

interface SubmissionAnswer {
  readonly answer:
    | {
        readonly __typename: 'Submission';
        readonly replayed: boolean;
        readonly job: { readonly id: string; readonly status: string; readonly credits: number };
      }
    | {
        readonly __typename: 'Refused' | 'WorkflowRefused';
        readonly refusals: readonly { readonly __typename: string }[];
      };
}

export interface CustomerParts {
  readonly api: Api;
  readonly account: Account;
  /** Tells this customer from all others. */
  readonly number: number;
  readonly random: Random;
  /** Until when it wishes for more. */
  readonly over: AbortSignal;
  /** When whoever has no answer yet gives up. */
  readonly giveUp: AbortSignal;
  readonly told: Told[];
  readonly counts: Tally;
  readonly refusals: Tally;
  readonly violation: (text: string) => void;
}

const IN_HAND_MAX = 3;
const LOOK_AGAIN_MS = 200;
const LIBRARY = 'query { assets(first: 20) { nodes { id width height } } }';
/** Working on larger ones takes the machine longer than it teaches. */
const SIDE_MAX = 1_100;

/** One customer: wishes for pictures, again and again, and insists on an answer to each wish. */
export class Customer {
  readonly #parts: CustomerParts;
  readonly #random: Random;
  /** Apart from the wishes, which must not depend on how often something had to be sent. */
  readonly #ways: Random;
  #pictures: readonly string[] = [];
  #inHand: string[] = [];
  #wishes = 0;

  constructor(parts: CustomerParts) {
    this.#parts = parts;
    this.#random = parts.random;
    this.#ways = parts.random.branch('ways');
  }

  async run(): Promise<void> {
    const { over, giveUp, violation } = this.#parts;
    try {
      while (!over.aborted) {
        await this.#wish();
        await this.#lookAtJobs();
        if (this.#wishes % 4 === 0) await this.#lookAtLibrary();
      }
    } catch (error) {
      if (!(error instanceof Unanswered)) throw error;
      if (giveUp.aborted) violation(`customer ${this.#parts.number} never had an answer: ${error.message}`);
    }
  }

  async #wish(): Promise<void> {
    const random = this.#random;
    this.#wishes += 1;
    const name = `${this.#parts.number}-${this.#wishes}`;
    const wish = nextWish(random, `tale-${name}`, this.#pictures);
    const quoted = random.percent(30) ? await this.#estimate(wish) : null;
    const idempotencyKey = `key-${name}`;
    const variables = {
      ...wish.variables,
      ...(quoted?.quote && { quote: quoted.quote }),
      idempotencyKey,
      ...(random.percent(25) && { budget: this.#parts.account.budget }),
      waitSeconds: random.percent(30) ? 3 : 0,
    };
    const copies = random.percent(10) ? 2 : 1;
    const answers = await Promise.all(Array.from({ length: copies }, () => this.#insist(wish, variables)));
    for (const answer of answers) this.#note(answer, idempotencyKey, quoted?.quote ? quoted.credits : null);
    const jobId = answers.flatMap(({ data }) =>
      data?.answer.__typename === 'Submission' ? [data.answer.job.id] : [],
    )[0];
    if (jobId === undefined) return;
    this.#inHand.push(jobId);
    if (random.percent(15)) await this.#sendAgain(wish, variables, idempotencyKey, jobId);
    if (random.percent(3)) await this.#sendOther(variables, idempotencyKey);
    if (random.percent(15)) await this.#cancel(jobId);
  }

  #insist(wish: Wish, variables: object): Promise<Answer<SubmissionAnswer> & { tries: number }> {
    const { api, account, giveUp } = this.#parts;
    return api.insist<SubmissionAnswer>(account.key, this.#ways, giveUp, submissionOf(wish), variables);
  }

  async #estimate(wish: Wish): Promise<{ credits: number | null; quote: string | null } | null> {
    const { api, account, giveUp, counts } = this.#parts;
    const { data } = await api.insist<{ estimate: { credits: number | null; quote: string | null } }>(
      account.key,
      this.#ways,
      giveUp,
      estimateOf(wish),
      wish.variables,
    );
    counts.add('estimates');
    return data?.estimate ?? null;
  }

  #note(
    { data, error, tries }: Answer<SubmissionAnswer> & { tries: number },
    idempotencyKey: string,
    quoted: number | null,
  ) {
    const { account, told, counts, refusals } = this.#parts;
    const answer = data?.answer;
    const job = answer?.__typename === 'Submission' ? answer.job : null;
    counts.add('submissions');
    counts.add('sent again without an answer', tries - 1);
    if (answer?.__typename === 'Submission') counts.add(answer.replayed ? 'replayed' : 'accepted');
    else if (answer) for (const { __typename } of answer.refusals.slice(0, 1)) refusals.add(__typename);
    else refusals.add(error ?? 'no data');
    const wasUnanswered = tries > 1;
    const credits = job?.credits ?? null;
    told.push({ accountId: account.id, idempotencyKey, jobId: job?.id ?? null, credits, quoted, wasUnanswered });
  }

  /** The same key and input must answer the same job, whatever has happened since. */
  async #sendAgain(wish: Wish, variables: object, idempotencyKey: string, jobId: string): Promise<void> {
    const again = await this.#insist(wish, variables);
    this.#note(again, idempotencyKey, null);
    const answer = again.data?.answer;
    if (answer?.__typename !== 'Submission' || !answer.replayed || answer.job.id !== jobId)
      this.#parts.violation(`${idempotencyKey} was sent again for ${jobId} and answered ${JSON.stringify(again)}`);
  }

  /** Another input with the same key must be turned down. */
  async #sendOther(variables: object, idempotencyKey: string): Promise<void> {
    const input = { prompt: 'something else', width: 256, height: 256 };
    const other: Wish = { mutation: 'generate', variables: { ...variables, input } };
    const { error } = await this.#insist(other, { input, idempotencyKey });
    this.#parts.counts.add('other input with a used key');
    if (error !== 'IDEMPOTENCY_CONFLICT')
      this.#parts.violation(
        `${idempotencyKey} was sent with another input and answered ${error ?? 'without an error'}`,
      );
  }

  /** Sometimes twice at once, as a person does who sees nothing happen. */
  async #cancel(jobId: string): Promise<void> {
    const { api, account, giveUp, counts } = this.#parts;
    const cancel = 'mutation ($id: ID!) { cancelJob(id: $id) { id } }';
    const copies = this.#random.percent(50) ? 2 : 1;
    await Promise.all(
      Array.from({ length: copies }, () => api.insist(account.key, this.#ways, giveUp, cancel, { id: jobId })),
    );
    counts.add('cancels', copies);
  }

  /** Waits, while there are many jobs in hand, for some of them to end. */
  async #lookAtJobs(): Promise<void> {
    const { api, account, over } = this.#parts;
    while (this.#inHand.length > 0 && !over.aborted) {
      const jobs = 'query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Job { id status } } }';
      const { data } = await api.insist<{ nodes: ({ id: string; status: string } | null)[] }>(
        account.key,
        this.#ways,
        over,
        jobs,
        { ids: this.#inHand },
      );
      const open = data?.nodes.flatMap((job) => (job && /QUEUED|RUNNING/.test(job.status) ? [job.id] : [])) ?? [];
      this.#inHand = open;
      if (open.length <= IN_HAND_MAX) return;
      await wait(LOOK_AGAIN_MS);
    }
  }

  async #lookAtLibrary(): Promise<void> {
    const { api, account, over } = this.#parts;
    const { data } = await api.insist<{ assets: { nodes: { id: string; width: number; height: number }[] } }>(
      account.key,
      this.#ways,
      over,
      LIBRARY,
    );
    this.#pictures = (data?.assets.nodes ?? [])
      .filter(({ width, height }) => Math.max(width, height) <= SIDE_MAX && Math.min(width, height) >= 64)
      .map(({ id }) => id);
  }
}
