import { setTimeout as wait } from 'node:timers/promises';
import { Api } from './api.ts';
import { checkAll, leftOpen } from './checks.ts';
import { type Account, Customer } from './customers.ts';
import { Fates } from './fates.ts';
import { FAULTS } from './faults.ts';
import { Fleet } from './fleet.ts';
import { checkLaws, watchLaws } from './laws.ts';
import { Notes } from './notes.ts';
import { type NewAccount, Operator } from './operator.ts';
import type { TortureOptions } from './options.ts';
import { runOutages } from './outages.ts';
import { askForTheMonth, endPeriod, liveThroughMonths } from './periods.ts';
import { Random } from './random.ts';
import { journalTally, type Report, readBooks } from './report.ts';
import { addressOf, openStage, type Stage } from './stage.ts';

const LATENCY = 0.02;
const ROOMY = { submissionsPerMinute: 100_000, runningJobs: 8 };
const ACCOUNTS: readonly NewAccount[] = [
  { tier: 'FREE', limits: ROOMY },
  { tier: 'FREE', limits: { ...ROOMY, submissionsPerMinute: 60 } },
  { tier: 'BASIC', limits: ROOMY },
  { tier: 'PRO', limits: ROOMY },
  { tier: 'ENTERPRISE', limits: ROOMY, spendCap: 150 },
  { tier: 'ENTERPRISE', limits: ROOMY },
];
const CUSTOMERS_AN_ACCOUNT = 2;
/** After its time a run goes on for steps that no process has died at, but not for ever. */
const EXTRA_MS_MAX = 600_000;
const LOOK_AGAIN_MS = 250;
const QUIET_MS_MAX = 60_000;
const CALM_MS_MAX = 180_000;
/** The embedded database cannot be looked into while somebody runs on it: so long is enough, on any machine. */
const QUIET_UNSEEN_MS = 25_000;

/** Runs customers, kills and faults for some minutes, lets everything come to rest, and compares all books. */
export async function torture(options: TortureOptions): Promise<Report & { readonly folder: string }> {
  const stage = await openStage({ ...options, faults: FAULTS, latency: LATENCY });
  let isForgotten = false;
  try {
    const report = await new Storm(stage, options).run();
    isForgotten = report.violations.length === 0;
    return { ...report, folder: stage.folder };
  } finally {
    await stage.close(isForgotten);
  }
}

class Storm {
  readonly #stage: Stage;
  readonly #options: TortureOptions;
  readonly #random: Random;
  readonly #notes = new Notes();
  readonly #fates: Fates;
  readonly #fleet: Fleet;
  readonly #api: Api;
  /** No more kills and outages; no more wishes; nobody waits for an answer any longer. */
  readonly #calm = new AbortController();
  readonly #over = new AbortController();
  readonly #giveUp = new AbortController();
  /** Whose months are over in no time. */
  #monthly: Account | null = null;

  constructor(stage: Stage, options: TortureOptions) {
    this.#stage = stage;
    this.#options = options;
    this.#random = new Random(options.seed);
    this.#fates = new Fates(this.#random.branch('fates'));
    const { kills, violation, troubles } = this.#notes;
    const between = () => this.#betweenProcesses();
    this.#fleet = new Fleet({ stage, fates: this.#fates, kills, violation, between, log: stage.log });
    this.#api = new Api(stage.slots.filter(({ role }) => role !== 'worker').map(addressOf), troubles);
  }

  async run(): Promise<Report> {
    const startedAt = performance.now();
    await this.#fleet.start();
    const everybody = await this.#begin();
    const outages = runOutages(this.#stage, this.#random.branch('outages'), this.#notes.kills, this.#calm.signal);
    await this.#untilOver();

    this.#stage.log('calm');
    this.#stage.vendors.rates.clear();
    this.#calm.abort();
    await outages;
    await this.#inTime(this.#fleet.calm(), 'the processes did not come up again');
    this.#over.abort();
    setTimeout(() => this.#giveUp.abort(), QUIET_MS_MAX).unref();
    await Promise.all(everybody);
    await this.#untilQuiet();
    await this.#inTime(this.#fleet.stop(), 'the processes did not stop');
    await this.#compareAll();
    return {
      ...this.#notes,
      options: this.#options,
      seconds: (performance.now() - startedAt) / 1_000,
      hits: this.#fates.hits,
      books: await this.#stage.look(readBooks),
      journal: journalTally(this.#stage.vendors.journal()),
    };
  }

  /** Everybody who does something until it is over. */
  async #begin(): Promise<Promise<unknown>[]> {
    const { engine, look, operatorKey } = this.#stage;
    const over = this.#over.signal;
    const operator = new Operator(this.#api, operatorKey(), this.#random.branch('operator'), this.#notes.counts);
    const accounts = await Promise.all(ACCOUNTS.map((account) => operator.open(account)));
    const monthly = await operator.open({ tier: 'PRO', limits: ROOMY });
    this.#monthly = monthly;
    const months = { ...this.#notes, stage: this.#stage, api: this.#api, account: monthly };
    const random = this.#random.branch('months');
    const work = [
      ...Array.from({ length: CUSTOMERS_AN_ACCOUNT }, () => accounts)
        .flat()
        .map((account, number) => this.#customer(account, number).run()),
      operator.run(accounts, over),
      ...(engine === 'postgres'
        ? [liveThroughMonths({ ...months, random }, over), watchLaws(look, this.#notes, over)]
        : [askForTheMonth({ ...months, random }, over)]),
    ];
    return work.map((each) => each.catch((error: unknown) => this.#notes.violation(`we failed: ${textOf(error)}`)));
  }

  #customer(account: Account, number: number): Customer {
    const signals = { over: this.#over.signal, giveUp: this.#giveUp.signal };
    const random = this.#random.branch(`customer ${number}`);
    return new Customer({ ...this.#notes, ...signals, api: this.#api, account, number, random });
  }

  /** The embedded database is looked into while nobody runs on it. */
  async #betweenProcesses(): Promise<void> {
    if (this.#stage.engine !== 'pglite') return;
    const monthly = this.#monthly;
    await this.#stage.look((db) => checkLaws(db, this.#notes));
    if (monthly) await this.#stage.look((db) => endPeriod(db, monthly.id));
  }

  async #untilOver(): Promise<void> {
    const endsAt = performance.now() + this.#options.minutes * 60_000;
    const lastEndsAt = endsAt + EXTRA_MS_MAX;
    // What is broken already only becomes harder to explain.
    const isOver = () =>
      this.#notes.violations.length > 0 || performance.now() > (this.#fates.missing.length > 0 ? lastEndsAt : endsAt);
    while (!isOver()) await wait(LOOK_AGAIN_MS);
  }

  /** Nothing may be open for long once nothing goes wrong any more; what still is then is found when all is compared. */
  async #untilQuiet(): Promise<void> {
    if (this.#stage.engine === 'pglite') return wait(QUIET_UNSEEN_MS);
    const deadline = performance.now() + QUIET_MS_MAX;
    while (performance.now() < deadline && (await this.#stage.look(leftOpen)).length > 0) await wait(LOOK_AGAIN_MS);
  }

  async #compareAll(): Promise<void> {
    const { storage, vendors, look } = this.#stage;
    const facts = { storage, journal: vendors.journal(), told: this.#notes.told };
    for (const text of await look((db) => checkAll(db, facts))) this.#notes.violation(text);
    if (this.#notes.violations.length > 0) return;
    for (const step of this.#fates.missing) this.#notes.violation(`no process died at ${step}`);
  }

  async #inTime(work: Promise<void>, text: string): Promise<void> {
    const late = wait(CALM_MS_MAX, 'late', { ref: false });
    if ((await Promise.race([work, late])) === 'late') this.#notes.violation(text);
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
