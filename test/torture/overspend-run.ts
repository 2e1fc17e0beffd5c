import { type Answer, Api } from './api.ts';
import type { Account } from './customers.ts';
import { Fleet } from './fleet.ts';
import { brokenLaws, toldOf } from './laws.ts';
import { Operator } from './operator.ts';
import { type OverspendCase, overspendCases, standing } from './overspend-cases.ts';
import { Random } from './random.ts';
import { addressOf, openStage, type Stage } from './stage.ts';
import { Tally } from './tally.ts';

export interface OverspendOptions {
  readonly submissions: number;
  readonly fits: number;
  readonly seed: number;
  readonly redis: boolean;
  /** The names of the cases; all of them when left out. */
  readonly only?: readonly string[];
}

export interface OverspendRow {
  readonly name: string;
  readonly submissions: number;
  readonly fits: number;
  readonly accepted: number;
  /** Jobs that ended meanwhile, each of which makes room for another. */
  readonly ended: number;
  readonly refused: Tally;
  readonly sentAgain: number;
  readonly kills: number;
  readonly seconds: number;
  readonly violations: readonly string[];
}

/**
 * So slow that nothing is drawn while it lasts, and so patient that nothing is given up; with one order out at a time, a
 * worker is hardly ever killed between an order and its answer, which would end the job and make room for another.
 */
const HELD_UP = { latency: 100, patience: 10, concurrency: 1 };
/** Long enough for a crowd before one gateway. */
const ANSWER_MS_MAX = 60_000;
const GIVE_UP_MS = 240_000;
/** Who is killed after which share of the answers. */
const KILLS = [
  { after: 0.1, name: 'gateway-1' },
  { after: 0.3, name: 'worker-1' },
  { after: 0.45, name: 'gateway-2' },
  { after: 0.65, name: 'worker-2' },
  { after: 0.8, name: 'gateway-1' },
] as const;
const SUBMIT = `mutation ($input: GenerateInput!, $idempotencyKey: String!) {
  generate(input: $input, idempotencyKey: $idempotencyKey) {
    __typename ... on Submission { job { id } } ... on Refused { refusals { __typename } } } }`;
const CANCEL = 'mutation ($id: ID!) { cancelJob(id: $id) { id } }';

interface Generated {
  readonly generate:
    | { readonly __typename: 'Submission'; readonly job: { readonly id: string } }
    | { readonly __typename: 'Refused'; readonly refusals: readonly { readonly __typename: string }[] };
}

/** Crowds on accounts that have room for a few, while everything that answers them is killed. */
export async function overspend(options: OverspendOptions): Promise<OverspendRow[]> {
  const random = new Random(options.seed);
  const stage = await openStage({ engine: 'postgres', faults: '', ...HELD_UP, ...options });
  const found: string[] = [];
  try {
    const fleet = new Fleet({
      stage,
      fates: { next: () => null, note: () => undefined },
      kills: new Tally(),
      violation: (text) => found.push(text),
      between: async () => undefined,
      log: stage.log,
    });
    await fleet.start();
    const rows: OverspendRow[] = [];
    const isWanted = ({ name }: OverspendCase) => options.only?.includes(name) ?? true;
    for (const each of overspendCases(options.fits).filter(isWanted)) {
      rows.push(await new Crowd(stage, fleet, random.branch(each.name), each).run(options.submissions));
      // What is broken already only becomes harder to explain.
      if (rows.some(({ violations }) => violations.length > 0)) break;
    }
    await fleet.abandon();
    if (found.length > 0) throw new Error(found.join('\n'));
    return rows;
  } finally {
    await stage.close(true);
  }
}

class Crowd {
  readonly #stage: Stage;
  readonly #fleet: Fleet;
  readonly #random: Random;
  readonly #case: OverspendCase;
  readonly #api: Api;
  readonly #giveUp = AbortSignal.timeout(GIVE_UP_MS);
  readonly #refused = new Tally();
  readonly #killsLeft = [...KILLS] as { after: number; name: string }[];
  #kills = 0;
  #sentAgain = 0;
  #answered = 0;

  constructor(stage: Stage, fleet: Fleet, random: Random, each: OverspendCase) {
    this.#stage = stage;
    this.#fleet = fleet;
    this.#random = random;
    this.#case = each;
    const doors = stage.slots.filter(({ role }) => role === 'gateway').map(addressOf);
    this.#api = new Api(doors, new Tally(), ANSWER_MS_MAX);
  }

  async run(submissions: number): Promise<OverspendRow> {
    const { name, fits, account: wanted, prepare, meanwhile } = this.#case;
    const operator = new Operator(this.#api, this.#stage.operatorKey(), this.#random.branch('operator'), new Tally());
    const account = await operator.open(wanted);
    await prepare(operator, account.id);
    await this.#fleet.everybodyIsUp();
    const startedAt = performance.now();
    const crowd = (from: number, to: number) =>
      Promise.all(Array.from({ length: to - from }, (_, i) => this.#submit(account, from + i, submissions)));
    // Something in the middle needs some who come before it and some who come after.
    const before = meanwhile ? Math.floor(submissions / 2) : submissions;
    const first = crowd(0, before);
    if (meanwhile) await meanwhile(operator, account.id);
    const jobs = [...(await first), ...(await crowd(before, submissions))].filter((id) => id !== null);
    const seconds = (performance.now() - startedAt) / 1_000;
    const violations = await this.#compare(account, jobs);
    const { rows } = await this.#stage.look((db) => standing(account.id).execute(db));
    const ended = rows[0]?.ended ?? 0;
    if (jobs.length < fits || jobs.length > fits + ended) violations.push(`${jobs.length} accepted where ${fits} fit`);
    if (violations.length === 0) violations.push(...(await this.#giveAllBack(account, jobs)));
    return {
      name,
      submissions,
      fits,
      accepted: jobs.length,
      ended,
      refused: this.#refused,
      sentAgain: this.#sentAgain,
      kills: this.#kills,
      seconds,
      violations,
    };
  }

  /** One customer of the crowd: the job, or null for a refusal. */
  async #submit({ key }: Account, number: number, all: number): Promise<string | null> {
    const variables = { input: this.#case.input, idempotencyKey: `crowd-${number}` };
    const random = this.#random.branch(`customer ${number}`);
    const { tries, ...answer } = await this.#api.insist<Generated>(key, random, this.#giveUp, SUBMIT, variables);
    this.#sentAgain += tries - 1;
    this.#answered += 1;
    this.#killBy(this.#answered / all);
    return this.#jobOf(answer);
  }

  #jobOf({ data, error }: Answer<Generated>): string | null {
    if (data?.generate.__typename === 'Submission') return data.generate.job.id;
    this.#refused.add(data?.generate.refusals[0]?.__typename ?? error ?? 'no data');
    return null;
  }

  /** Whoever is not up at its time is killed as soon as it is, and meanwhile the next in turn. */
  #killBy(share: number): void {
    const next = this.#killsLeft.findIndex(({ after, name }) => share >= after && this.#fleet.kill(name));
    if (next === -1) return;
    this.#kills += 1;
    this.#killsLeft.splice(next, 1);
  }

  /** What the crowd was told against what the database has. */
  async #compare({ id }: Account, jobs: readonly string[]): Promise<string[]> {
    const { rows } = await this.#stage.look((db) => standing(id).execute(db));
    const [row] = rows;
    return [
      ...(await this.#stage.look(brokenLaws)).map(toldOf),
      ...(new Set(jobs).size === jobs.length ? [] : ['two keys were answered with the same job']),
      ...(row?.accepted === jobs.length && row.keys === jobs.length
        ? []
        : [`${jobs.length} were told of a job, and there are ${row?.accepted} jobs and ${row?.keys} keys`]),
    ];
  }

  /** Cancels everything: whatever was set aside must be there again. */
  async #giveAllBack({ id, key }: Account, jobs: readonly string[]): Promise<string[]> {
    const giveUp = AbortSignal.timeout(GIVE_UP_MS);
    for (const job of jobs) await this.#api.insist(key, this.#random, giveUp, CANCEL, { id: job });
    const { rows } = await this.#stage.look((db) => standing(id).execute(db));
    const broken = (await this.#stage.look(brokenLaws)).map((law) => `after all was cancelled, ${toldOf(law)}`);
    return rows[0]?.ended === jobs.length ? broken : [...broken, 'a job is open although it was cancelled'];
  }
}
