import type { Viewer } from '../accounts/account.ts';
import type { QuoteInvalid, Refusal } from '../catalog/refusals.ts';
import { canonicalGenerate, type GenerateInput, type GenerateRequest } from '../catalog/requests.ts';
import { availableOf, type Balance } from '../credits/balance.ts';
import { canonicalHash } from '../platform/canonical-hash.ts';
import type { Clock } from '../platform/clock.ts';
import type { Signer } from '../platform/signer.ts';
import type { PriceBook } from '../pricing/price-book.ts';
import type { PriceBooks } from '../pricing/price-books.service.ts';
import { vendorCostMicros } from '../pricing/prices.ts';
import { QUOTE_LIFETIME_SECONDS, type Quote, readQuote, signQuote } from '../pricing/quotes.ts';
import type { RouteHealth } from '../routing/health.ts';
import type { RoutingFacts } from '../routing/planned-route.ts';
import { balanceRefusals, rateLimited } from '../tiers/preflight.ts';
import type { Allowed } from '../tiers/tier.ts';
import type { Tiers } from '../tiers/tiers.service.ts';
import { allowanceFor, allowancesOf } from './allowances.ts';
import type { GenerateEstimate } from './estimate.ts';
import { cheaperThan, notesOf, type PricedGenerate, type PricingFacts, priceGenerate } from './generate-estimate.ts';
import { estimateWorkflow, type WorkflowEstimate, type WorkflowInput } from './workflow-estimate.ts';

/** What was asked, by whom, and how they stand. */
interface Asked {
  readonly viewer: Viewer;
  readonly request: GenerateRequest;
  readonly inputHash: string;
  readonly balance: Balance;
}

/** A quote that holds for what was asked, with the prices it was made from. */
interface HonouredQuote extends Quote {
  readonly token: string;
  readonly book: PriceBook;
}

/** The one way to a price: an estimate query ends here, and a mutation begins here. */
export class Estimates {
  constructor(
    private readonly priceBooks: Pick<PriceBooks, 'current' | 'find'>,
    private readonly tiers: Pick<Tiers, 'allowed' | 'balance' | 'rate'>,
    private readonly health: Pick<RouteHealth, 'of'>,
    private readonly serves: RoutingFacts['serves'],
    private readonly signer: Signer,
    private readonly clock: Clock,
  ) {}

  /**
   * What these pictures cost, line by line, whether they may run, and on what. With a quote, its price version and its
   * free images count; a quote that no longer holds becomes a refusal on a fresh estimate.
   * @throws BAD_USER_INPUT for what is valid for nobody.
   */
  async generate(viewer: Viewer, input: GenerateInput, quoteToken?: string): Promise<GenerateEstimate> {
    const request = canonicalGenerate(input);
    const inputHash = canonicalHash(request);
    const asked: Asked = { viewer, request, inputHash, balance: await this.tiers.balance(viewer) };
    if (quoteToken === undefined) return this.#generate(asked, null);
    const quote = await this.#honoured(asked, quoteToken);
    return 'type' in quote ? this.#generate(asked, null, quote) : this.#generate(asked, quote);
  }

  async workflow(viewer: Viewer, input: WorkflowInput): Promise<WorkflowEstimate> {
    const book = this.priceBooks.current();
    const balance = await this.tiers.balance(viewer);
    const allowed = this.tiers.allowed(viewer, book);
    const estimate = estimateWorkflow(input, this.#facts(book, allowed, balance), balance);
    const rate = await this.#rateRefusal(viewer, allowed);
    return { ...estimate, refusals: [...estimate.refusals, ...rate] };
  }

  async #generate(
    asked: Asked,
    quote: HonouredQuote | null,
    invalid: Refusal | null = null,
  ): Promise<GenerateEstimate> {
    const { viewer, request, inputHash, balance } = asked;
    const book = quote?.book ?? this.priceBooks.current();
    const allowed = this.tiers.allowed(viewer);
    const facts = { ...this.#facts(book, allowed, balance), ...(quote && { freeImages: quote.freeImages }) };
    const priced = priceGenerate(request, facts);
    // The same prices come to the same credits, unless a newer program counts them differently than the quote was counted.
    if (quote && priced.credits !== null && priced.credits !== quote.credits)
      return this.#generate(asked, null, quoteInvalid('EXPIRED', 'This quote was counted in a way that is outdated.'));
    const refusals = [
      ...(invalid ? [invalid] : []),
      ...priced.refusals,
      ...(priced.credits === null ? [] : balanceRefusals(allowed, balance, priced.credits)),
      ...(await this.#rateRefusal(viewer, allowed)),
    ];
    const { count: _count, ...picture } = request;
    const before = availableOf(balance);
    // A quote that holds is handed back as it came: a new one at its prices would make an old price last for ever.
    const promise =
      priced.credits === null ? null : (quote ?? this.#quote(asked, book, priced.credits, priced.freeImages));
    return {
      estimate: {
        operation: 'GENERATE',
        size: request.size,
        credits: priced.credits,
        lines: priced.lines,
        quote: promise?.token ?? null,
        quoteExpiresAt: promise?.expiresAt ?? null,
        priceVersion: book.version,
        balanceBefore: before,
        balanceAfter: balanceAfter(before, priced.credits),
        affordableCount: affordableCount(balance, priced),
        expectedSeconds: priced.routes[0]?.expectedSeconds ?? null,
        routes: priced.routes,
        refusals,
        notes: notesOf(request, priced.routes),
        pictureHash: canonicalHash(picture),
        alternatives: () => (priced.credits === null ? [] : cheaperThan(request, priced.credits, facts)),
      },
      inputHash,
      plan:
        priced.unitCredits === null || priced.credits === null
          ? null
          : {
              request,
              credits: priced.credits,
              unitCredits: priced.unitCredits,
              freeImages: priced.freeImages,
              allowance: priced.allowance,
              openJobsMax: allowed.openJobs,
              priority: allowed.queuePriority,
            },
    };
  }

  #facts(book: PriceBook, allowed: Allowed, balance: Balance): PricingFacts {
    return {
      book,
      allowed,
      allowances: allowancesOf(allowed, balance),
      routing: {
        serves: this.serves,
        health: (route) => this.health.of(route),
        vendorCostMicros: (route, render) => vendorCostMicros(book, route, render),
      },
    };
  }

  /** A fresh promise on the prices in force. */
  #quote({ viewer, inputHash }: Asked, book: PriceBook, credits: bigint, freeImages: number) {
    const expiresAt = new Date(Math.floor(this.clock.now().getTime() / 1000 + QUOTE_LIFETIME_SECONDS) * 1000);
    const quote = { accountId: viewer.id, inputHash, credits, priceVersion: book.version, freeImages, expiresAt };
    return { token: signQuote(this.signer, quote), expiresAt };
  }

  /** The quote inside a token if it holds for what was asked; otherwise why not. */
  async #honoured({ viewer, request, inputHash, balance }: Asked, token: string): Promise<HonouredQuote | Refusal> {
    const quote = readQuote(this.signer, token);
    const book = quote && (await this.priceBooks.find(quote.priceVersion));
    if (!quote || !book || quote.accountId !== viewer.id || quote.inputHash !== inputHash)
      return quoteInvalid('INPUT_CHANGED', 'This quote was not given to this account for exactly this input.');
    if (quote.expiresAt <= this.clock.now())
      return quoteInvalid('EXPIRED', `This quote was good until ${quote.expiresAt.toISOString()}.`);
    const left = allowanceFor(request, allowancesOf(this.tiers.allowed(viewer), balance))?.left ?? 0;
    return quote.freeImages > left
      ? quoteInvalid('ALLOWANCE_USED', 'The free images that this quote counted on have been used by another job.')
      : { ...quote, token, book };
  }

  async #rateRefusal(viewer: Viewer, allowed: Allowed): Promise<Refusal[]> {
    const rate = await this.tiers.rate(viewer, allowed);
    return rate.remaining > 0 ? [] : [rateLimited(rate.limit, rate.resetsAt)];
  }
}

function quoteInvalid(reason: QuoteInvalid['reason'], what: string): QuoteInvalid {
  const message = `${what} Nothing was run and nothing was charged; the estimate beside this is a fresh one.`;
  return { type: 'QuoteInvalid', reason, message };
}

function balanceAfter(before: bigint | null, credits: bigint | null): bigint | null {
  return before === null || credits === null || credits > before ? null : before - credits;
}

/** As far as GraphQL's Int reaches. */
const AFFORDABLE_MAX = 2_147_483_647;

/** How many such images the account could pay for: what is left of the allowance, then what the credits buy. */
function affordableCount(balance: Balance, priced: PricedGenerate): number | null {
  if (priced.unitCredits === null) return 0;
  const available = availableOf(balance);
  const underCap = balance.spendCap === null ? null : balance.spendCap - balance.spent;
  const spendable = available === null ? underCap : underCap === null || available < underCap ? available : underCap;
  if (spendable === null || priced.unitCredits === 0n) return null;
  const bought = Number((spendable > 0n ? spendable : 0n) / priced.unitCredits);
  return Math.min(AFFORDABLE_MAX, (priced.allowance?.left ?? 0) + bought);
}
