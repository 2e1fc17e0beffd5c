import { setTimeout as wait } from 'node:timers/promises';
import { type Api, Unanswered } from './api.ts';
import type { Account } from './customers.ts';
import type { Random } from './random.ts';
import type { Tally } from './tally.ts';

interface PriceDocument {
  readonly generateByQuality: Readonly<Record<string, Prices>>;
  readonly generateByModel: Readonly<Record<string, Prices>>;
  readonly edit: Readonly<Record<string, Prices>>;
  readonly upscale: Readonly<Record<string, Prices>>;
  readonly tiers: Readonly<Record<string, object>>;
}
type Prices = Readonly<Record<string, number>>;

export interface NewAccount {
  readonly tier: 'FREE' | 'BASIC' | 'PRO' | 'ENTERPRISE';
  readonly limits?: Readonly<Record<string, number>>;
  readonly spendCap?: number;
}

const PUBLISH = 'mutation ($document: JSONObject!) { publishPriceBook(document: $document) { version } }';
const HISTORY = 'query { priceHistory(first: 1) { document } }';
const GRANT =
  'mutation ($account: ID!, $credits: Credits!) { grantCredits(account: $account, credits: $credits) { id } }';
const SET_TIER =
  'mutation ($account: ID!, $tier: Tier!, $spendCap: Credits) { setTier(account: $account, tier: $tier, spendCap: $spendCap) { id } }';
/** Small enough to be spent now and then. */
const BUDGET = 'mutation { createBudget(input: { name: "a campaign", cap: 40, period: MONTHLY }) { id } }';
const OPEN =
  'mutation ($input: CreateAccountInput!) { createAccount(input: $input) { account { id } issued { secret } } }';

const BETWEEN_MS = [300, 1_200] as const;

/** The operator, who gives credits, changes tiers and prices in the middle of everything. */
export class Operator {
  readonly #api: Api;
  readonly #key: string;
  readonly #random: Random;
  /** Apart from what it does, which must not depend on how often something had to be sent. */
  readonly #ways: Random;
  readonly #counts: Tally;

  constructor(api: Api, key: string, random: Random, counts: Tally) {
    this.#api = api;
    this.#key = key;
    this.#random = random;
    this.#ways = random.branch('ways');
    this.#counts = counts;
  }

  async open(account: NewAccount): Promise<Account> {
    const { data, error } = await this.ask<{
      createAccount: { account: { id: string }; issued: { secret: string } };
    }>(OPEN, { input: { name: 'a customer', ...account } });
    if (!data) throw new Error(`no account was opened: ${error}`);
    const { id } = data.createAccount.account;
    const key = data.createAccount.issued.secret;
    const made = await this.#api.insist<{ createBudget: { id: string } }>(
      key,
      this.#ways,
      AbortSignal.timeout(60_000),
      BUDGET,
    );
    if (!made.data) throw new Error(`no budget was made: ${made.error}`);
    return { id, key, budget: made.data.createBudget.id };
  }

  /** Asks until there is an answer. */
  ask<T>(query: string, variables: object = {}, giveUp = AbortSignal.timeout(60_000)) {
    return this.#api.insist<T>(this.#key, this.#ways, giveUp, query, variables);
  }

  /** Does this and that to the accounts until `over`. */
  async run(accounts: readonly Account[], over: AbortSignal): Promise<void> {
    while (!over.aborted) {
      await wait(this.#random.whole(...BETWEEN_MS), undefined, { signal: over }).catch(() => undefined);
      await this.#act(this.#random.pick(accounts).id, over).catch((error: unknown) => {
        if (!(error instanceof Unanswered)) throw error;
      });
    }
  }

  async #act(account: string, over: AbortSignal): Promise<void> {
    const roll = this.#random.whole(1, 100);
    if (roll <= 60) {
      await this.ask(GRANT, { account, credits: this.#random.whole(1_000, 30_000) / 1_000 }, over);
      this.#counts.add('top-ups');
    } else if (roll <= 85) {
      const tier = this.#random.pick(['FREE', 'BASIC', 'PRO', 'ENTERPRISE']);
      const cap = this.#random.percent(50) ? { spendCap: this.#random.whole(50, 400) } : {};
      await this.ask(SET_TIER, { account, tier, ...cap }, over);
      this.#counts.add('tier changes');
    } else {
      await this.publishPrices(over);
      this.#counts.add('price books');
    }
  }

  /** Other prices for everything, down to the thousandth: whoever takes the newest price for the quoted one is seen. */
  async publishPrices(giveUp?: AbortSignal): Promise<void> {
    await this.publish(({ generateByQuality, generateByModel, edit, upscale }) => {
      const changed = { generateByQuality, generateByModel, edit, upscale };
      return Object.fromEntries(Object.entries(changed).map(([name, table]) => [name, this.#changed(table)]));
    }, giveUp);
  }

  /** A new version of the price book in force, with `change` in place of what it had. */
  async publish(change: (document: PriceDocument) => object, giveUp?: AbortSignal): Promise<void> {
    const { data, error } = await this.ask<{ priceHistory: { document: PriceDocument }[] }>(HISTORY, {}, giveUp);
    const document = data?.priceHistory[0]?.document;
    if (!document) throw new Error(`the price book could not be read: ${error}`);
    await this.ask(PUBLISH, { document: { ...document, ...change(document) } }, giveUp);
  }

  async grant(account: string, credits: number): Promise<void> {
    await this.ask(GRANT, { account, credits });
  }

  async setTier(account: string, tier: string): Promise<void> {
    await this.ask(SET_TIER, { account, tier });
  }

  #changed(table: Readonly<Record<string, Prices>>) {
    const other = (price: number) => Math.max(1, Math.round(price * this.#random.whole(800, 1_250)) / 1_000);
    const prices = (row: Prices) =>
      Object.fromEntries(Object.entries(row).map(([size, price]) => [size, other(price)]));
    return Object.fromEntries(Object.entries(table).map(([name, row]) => [name, prices(row)]));
  }
}
