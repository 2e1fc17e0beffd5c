import type { Viewer } from '../accounts/account.ts';
import type { StorageUses } from '../assets/storage-use.service.ts';
import type { Refusal } from '../catalog/refusals.ts';
import type { Source } from '../catalog/sources.ts';
import { availableOf, type Balance } from '../credits/balance.ts';
import type { Budget } from '../credits/budget.ts';
import type { Budgets } from '../credits/budgets.service.ts';
import { badInput, unknownReference } from '../errors.ts';
import { canonicalHash } from '../platform/canonical-hash.ts';
import type { Clock } from '../platform/clock.ts';
import type { Signer } from '../platform/signer.ts';
import type { PriceBook } from '../pricing/price-book.ts';
import type { PriceBooks } from '../pricing/price-books.service.ts';
import { formatCredits, vendorCostMicros } from '../pricing/prices.ts';
import { QUOTE_LIFETIME_SECONDS, type Quote, readQuote, signQuote } from '../pricing/quotes.ts';
import type { RouteHealth } from '../routing/health.ts';
import type { RoutingFacts } from '../routing/planned-route.ts';
import { balanceRefusals, budgetRefusals, rateLimited, storageRefusals } from '../tiers/preflight.ts';
import type { Allowed } from '../tiers/tier.ts';
import type { Tiers } from '../tiers/tiers.service.ts';
import { affordableCount, howMany } from './affordable.ts';
import { type Allowance, allowancesOf } from './allowances.ts';
import type { Estimate, Estimated, WorkflowEstimate } from './estimate.ts';
import { overMax, quoteInvalid } from './estimate-refusals.ts';
import {
  assetsOf,
  imageOf,
  type JobRequest,
  type OperationRequest,
  pictureHash,
  seededFor,
  type WorkflowRequest,
} from './job-request.ts';
import { fixedBy, freeImagesIn, planOf } from './plan.ts';
import type { PricingFacts } from './priced-runs.ts';
import { type KnownPictures, type PricedStep, type PricedSteps, priceSteps } from './priced-steps.ts';

/** What was asked, by whom, on which pictures, and how they stand. */
interface Asked {
  readonly viewer: Viewer;
  readonly request: JobRequest;
  readonly inputHash: string;
  readonly pictures: KnownPictures;
  readonly balance: Balance;
  /** Bytes that the account keeps. */
  readonly storedBytes: number;
  readonly budget: Budget | null;
}

/** A quote that holds for what was asked, with the prices it was made from. */
interface HonouredQuote extends Quote {
  readonly token: string;
  readonly book: PriceBook;
}

/** What was asked with its price, and the promise on it. */
interface Weighed extends PricedSteps {
  readonly book: PriceBook;
  readonly allowed: Allowed;
  readonly promise: { readonly token: string; readonly expiresAt: Date } | null;
  readonly refusals: readonly Refusal[];
}

/** Where the pictures of the library are looked up: in the order of the ids, null for what the account does not have. */
export interface Pictures {
  byIds(accountId: string, ids: readonly string[]): Promise<readonly (Source | null)[]>;
}

/** What an estimate asks of the library. */
export interface KnownLibrary {
  readonly assets: Pictures;
  readonly storageUses: Pick<StorageUses, 'of'>;
}

export interface EstimatesParts {
  readonly priceBooks: Pick<PriceBooks, 'current' | 'find'>;
  readonly tiers: Pick<Tiers, 'allowed' | 'balance' | 'rate'>;
  readonly health: Pick<RouteHealth, 'of'>;
  readonly serves: RoutingFacts['serves'];
  readonly library: KnownLibrary;
  readonly budgets: Pick<Budgets, 'find'>;
  readonly signer: Signer;
  readonly clock: Clock;
}

export interface EstimateOptions {
  readonly quote?: string | undefined;
  /** The id of the budget that it is to count in. */
  readonly budget?: string | undefined;
}

/** The one way to a price: an estimate query ends here, and a mutation begins here. */
export class Estimates {
  constructor(private readonly parts: EstimatesParts) {}

  /**
   * What this operation costs, line by line, whether it may run, and on what. With a quote, its price version and its
   * free images count; a quote that no longer holds becomes a refusal on a fresh estimate.
   * @throws NOT_FOUND for a picture or a budget that the account does not have, BAD_USER_INPUT for a budget that is closed.
   */
  async operation(
    viewer: Viewer,
    request: OperationRequest,
    options: EstimateOptions = {},
  ): Promise<Estimated<Estimate>> {
    const asked = await this.#asked(viewer, request, options.budget);
    const weighed = await this.#weighed(asked, options.quote);
    const [step] = weighed.steps;
    if (!step) throw new Error('an operation is one step');
    const { balance, inputHash } = asked;
    const sizes = step.outputs.map(({ picture }) => picture && { width: picture.width, height: picture.height });
    const isOneSize = sizes.every((size) => size && size.width === sizes[0]?.width && size.height === sizes[0].height);
    const image = imageOf(request);
    const hashes = step.outputs.map(({ format }, run) => pictureHash(seededFor(request, run), image, format));
    return {
      estimate: {
        ...promised(weighed, balance),
        operation: step.operation,
        size: isOneSize ? (sizes[0] ?? null) : null,
        lines: step.lines,
        affordableCount: affordableCount(balance, step),
        expectedSeconds: step.expectedSeconds,
        routes: step.routes,
        notes: step.notes,
        pictureHashes: [...new Set(hashes)],
        alternatives: step.alternatives,
      },
      inputHash,
      plan: planOf(request, weighed, weighed.allowed, asked.budget),
    };
  }

  /**
   * The same for operations that build on each other. `maxCredits` is the most that the whole may cost, in milli-credits.
   * @throws NOT_FOUND and BAD_USER_INPUT for the same, and BAD_USER_INPUT for more images than a job may have, or a negative
   * `maxCredits`.
   */
  async workflow(
    viewer: Viewer,
    request: WorkflowRequest,
    maxCredits: bigint | null,
    options: EstimateOptions = {},
  ): Promise<Estimated<WorkflowEstimate>> {
    if (maxCredits !== null && maxCredits < 0n)
      throw badInput('maxCredits', formatCredits(maxCredits), 'at least 0 credits');
    const asked = await this.#asked(viewer, request, options.budget);
    const weighed = await this.#weighed(asked, options.quote);
    const { balance, inputHash } = asked;
    const { steps, credits } = weighed;
    const tooDear =
      credits !== null && maxCredits !== null && credits > maxCredits ? [overMax(credits, maxCredits)] : [];
    return {
      estimate: {
        ...promised(weighed, balance),
        refusals: [...weighed.refusals, ...tooDear],
        affordableCount: credits === null ? 0 : howMany(balance, credits),
        expectedSeconds: Math.max(...steps.map(({ doneAfterSeconds }) => doneAfterSeconds)),
        steps,
      },
      inputHash,
      plan: planOf(request, weighed, weighed.allowed, asked.budget),
    };
  }

  async #asked(viewer: Viewer, request: JobRequest, budgetId: string | undefined): Promise<Asked> {
    const [pictures, balance, stored, budget] = await Promise.all([
      this.#known(viewer, request),
      this.parts.tiers.balance(viewer),
      this.parts.library.storageUses.of(viewer.id),
      budgetId === undefined ? null : this.#budget(viewer, budgetId),
    ]);
    return { viewer, request, inputHash: canonicalHash(request), pictures, balance, storedBytes: stored.bytes, budget };
  }

  async #budget(viewer: Viewer, id: string): Promise<Budget> {
    const budget = await this.parts.budgets.find(viewer.id, id);
    if (!budget) throw unknownReference('budget', id, 'budget');
    if (budget.closedAt !== null) throw badInput('budget', id, 'a budget that is open');
    return budget;
  }

  async #known(viewer: Viewer, request: JobRequest): Promise<KnownPictures> {
    const named = assetsOf(request);
    if (named.length === 0) return new Map();
    const found = await this.parts.library.assets.byIds(
      viewer.id,
      named.map(({ id }) => id),
    );
    return new Map(
      named.map(({ field, id }, index) => {
        const asset = found[index];
        if (!asset) throw unknownReference('asset', id, field);
        const { width, height, contentType, byteCount, transparent } = asset;
        return [id, { width, height, contentType, byteCount, transparent }];
      }),
    );
  }

  async #weighed(asked: Asked, quoteToken: string | undefined): Promise<Weighed> {
    if (quoteToken === undefined) return this.#weigh(asked, null);
    const quote = await this.#honoured(asked, quoteToken);
    return 'type' in quote ? this.#weigh(asked, null, quote) : this.#weigh(asked, quote);
  }

  async #weigh(asked: Asked, quote: HonouredQuote | null, invalid: Refusal | null = null): Promise<Weighed> {
    const { viewer, request, pictures, balance, storedBytes, budget } = asked;
    const book = quote?.book ?? this.parts.priceBooks.current();
    const allowed = this.parts.tiers.allowed(viewer);
    const allowances = allowancesOf(allowed, balance);
    const priced = priceSteps(
      request,
      pictures,
      this.#facts(book, allowed, quote ? fixedBy(quote, allowances) : allowances),
    );
    const { credits, images } = priced;
    // The same prices come to the same credits, unless a newer program counts them differently than the quote was counted.
    if (quote && credits !== null && credits !== quote.credits)
      return this.#weigh(asked, null, quoteInvalid('EXPIRED', 'This quote was counted in a way that is outdated.'));
    const refusals = [
      ...(invalid ? [invalid] : []),
      ...priced.steps.flatMap((step) => step.refusals),
      ...(credits === null ? [] : balanceRefusals(allowed, balance, credits)),
      ...(credits === null || budget === null ? [] : budgetRefusals(budget, balance, credits)),
      ...storageRefusals(book, allowed, storedBytes),
      ...(await this.#rateRefusal(viewer, allowed)),
    ];
    // A quote that holds is handed back as it came: a new one at its prices would make an old price last for ever. What
    // is assumed of a picture that is not known yet is no promise.
    const promise =
      credits === null || images === null ? null : (quote ?? this.#quote(asked, book, credits, priced.steps));
    return { ...priced, book, allowed, promise, refusals };
  }

  #facts(book: PriceBook, allowed: Allowed, allowances: readonly Allowance[]): PricingFacts {
    return {
      book,
      allowed,
      allowances,
      routing: {
        serves: this.parts.serves,
        health: (route) => this.parts.health.of(route),
        vendorCostMicros: (route, render) => vendorCostMicros(book, route, render),
      },
    };
  }

  /** A fresh promise on the prices in force. */
  #quote({ viewer, inputHash }: Asked, book: PriceBook, credits: bigint, steps: readonly PricedStep[]) {
    const expiresAt = new Date(Math.floor(this.parts.clock.now().getTime() / 1000 + QUOTE_LIFETIME_SECONDS) * 1000);
    const freeImages = Object.fromEntries(freeImagesIn(steps).map(({ provider, images }) => [provider, images]));
    const quote = { accountId: viewer.id, inputHash, credits, priceVersion: book.version, freeImages, expiresAt };
    return { token: signQuote(this.parts.signer, quote), expiresAt };
  }

  /** The quote inside a token if it holds for what was asked; otherwise why not. */
  async #honoured({ viewer, inputHash, balance }: Asked, token: string): Promise<HonouredQuote | Refusal> {
    const quote = readQuote(this.parts.signer, token);
    const book = quote && (await this.parts.priceBooks.find(quote.priceVersion));
    if (!quote || !book || quote.accountId !== viewer.id || quote.inputHash !== inputHash)
      return quoteInvalid('INPUT_CHANGED', 'This quote was not given to this account for exactly this input.');
    if (quote.expiresAt <= this.parts.clock.now())
      return quoteInvalid('EXPIRED', `This quote was good until ${quote.expiresAt.toISOString()}.`);
    const isUsed = allowancesOf(this.parts.tiers.allowed(viewer), balance).some(
      ({ provider, left }) => (quote.freeImages[provider] ?? 0) > left,
    );
    return isUsed
      ? quoteInvalid('ALLOWANCE_USED', 'The free images that this quote counted on have been used by another job.')
      : { ...quote, token, book };
  }

  async #rateRefusal(viewer: Viewer, allowed: Allowed): Promise<Refusal[]> {
    const rate = await this.parts.tiers.rate(viewer, allowed);
    return rate.remaining > 0 ? [] : [rateLimited(rate.limit, rate.resetsAt)];
  }
}

function promised({ credits, promise, book, refusals }: Weighed, balance: Balance) {
  const before = availableOf(balance);
  return {
    credits,
    quote: promise?.token ?? null,
    quoteExpiresAt: promise?.expiresAt ?? null,
    priceVersion: book.version,
    balanceBefore: before,
    balanceAfter: before === null || credits === null || credits > before ? null : before - credits,
    refusals,
  };
}
