import type { Viewer } from '../accounts/account.ts';
import type { Refusal } from '../catalog/refusals.ts';
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
import type { RoutingFacts } from '../routing/planner.ts';
import { balanceRefusals, rateLimited } from '../tiers/preflight.ts';
import type { Allowed } from '../tiers/tier.ts';
import type { Tiers } from '../tiers/tiers.service.ts';
import { allowanceFor, allowancesOf } from './allowances.ts';
import type { GenerateEstimate } from './estimate.ts';
import { cheaperThan, notesOf, type PricedGenerate, type PricingFacts, priceGenerate } from './generate-estimate.ts';
import { estimateWorkflow, type WorkflowEstimate, type WorkflowInput } from './workflow-estimate.ts';

/** The one way to a price: an estimate query ends here, and a mutation begins here. */
export class Estimates {
  constructor(
    private readonly priceBooks: PriceBooks,
    private readonly tiers: Tiers,
    private readonly health: RouteHealth,
    private readonly enabled: RoutingFacts['enabled'],
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
    const balance = await this.tiers.balance(viewer);
    if (quoteToken === undefined) return this.#generate(viewer, request, inputHash, balance, null, null);
    const quote = readQuote(this.signer, quoteToken);
    const invalid = this.#whyInvalid(viewer, quote, request, inputHash, balance);
    return this.#generate(viewer, request, inputHash, balance, invalid ? null : quote, invalid);
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
    viewer: Viewer,
    request: GenerateRequest,
    inputHash: string,
    balance: Balance,
    quote: Quote | null,
    invalid: Refusal | null,
  ): Promise<GenerateEstimate> {
    const book = await this.#book(quote);
    const allowed = this.tiers.allowed(viewer);
    const facts = { ...this.#facts(book, allowed, balance), ...(quote && { freeImages: quote.freeImages }) };
    const priced = priceGenerate(request, facts);
    const refusals = [
      ...(invalid ? [invalid] : []),
      ...priced.refusals,
      ...(priced.credits === null ? [] : balanceRefusals(allowed, balance, priced.credits)),
      ...(await this.#rateRefusal(viewer, allowed)),
    ];
    const { count: _count, ...picture } = request;
    const before = availableOf(balance);
    const after =
      before === null || priced.credits === null || priced.credits > before ? null : before - priced.credits;
    const quoteExpiresAt = priced.credits === null ? null : this.#expiry();
    return {
      estimate: {
        operation: 'GENERATE',
        size: request.size,
        credits: priced.credits,
        lines: priced.lines,
        quote: quoteExpiresAt && this.#quoteFor(viewer, inputHash, book, priced, quoteExpiresAt),
        quoteExpiresAt,
        priceVersion: book.version,
        balanceBefore: before,
        balanceAfter: after,
        affordableCount: affordableCount(balance, priced),
        expectedSeconds: priced.routes[0]?.expectedSeconds ?? null,
        routes: priced.routes,
        refusals,
        notes: notesOf(request, priced.routes),
        pictureHash: canonicalHash(picture),
        alternatives: () => (priced.credits === null ? [] : cheaperThan(request, priced.credits, facts)),
      },
      plan:
        priced.unitCredits === null || priced.routes.length === 0
          ? null
          : {
              request,
              inputHash,
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
        enabled: this.enabled,
        health: (routeId) => this.health.of(routeId),
        vendorCostMicros: (route, render) => vendorCostMicros(book, route, render),
      },
    };
  }

  async #book(quote: Quote | null): Promise<PriceBook> {
    const quoted = quote && (await this.priceBooks.find(quote.priceVersion));
    return quoted ?? this.priceBooks.current();
  }

  #expiry(): Date {
    return new Date(Math.floor(this.clock.now().getTime() / 1000 + QUOTE_LIFETIME_SECONDS) * 1000);
  }

  #quoteFor(viewer: Viewer, inputHash: string, book: PriceBook, priced: PricedGenerate, expiresAt: Date): string {
    return signQuote(this.signer, {
      accountId: viewer.id,
      inputHash,
      credits: priced.credits ?? 0n,
      priceVersion: book.version,
      freeImages: priced.freeImages,
      expiresAt,
    });
  }

  #whyInvalid(
    viewer: Viewer,
    quote: Quote | null,
    request: GenerateRequest,
    inputHash: string,
    balance: Balance,
  ): Refusal | null {
    const invalid = (reason: 'EXPIRED' | 'INPUT_CHANGED' | 'ALLOWANCE_USED', message: string): Refusal => ({
      type: 'QuoteInvalid',
      reason,
      message: `${message} Nothing was run and nothing was charged; the estimate beside this has a new quote.`,
    });
    if (quote === null || quote.accountId !== viewer.id || quote.inputHash !== inputHash) {
      return invalid('INPUT_CHANGED', 'This quote was not given to this account for exactly this input.');
    }
    if (quote.expiresAt <= this.clock.now())
      return invalid('EXPIRED', `This quote was good until ${quote.expiresAt.toISOString()}.`);
    const left = allowanceFor(request, allowancesOf(this.tiers.allowed(viewer), balance))?.left ?? 0;
    return quote.freeImages > left
      ? invalid('ALLOWANCE_USED', 'The free images that this quote counted on have been used by another job.')
      : null;
  }

  async #rateRefusal(viewer: Viewer, allowed: Allowed): Promise<Refusal[]> {
    const rate = await this.tiers.rate(viewer, allowed);
    return rate.remaining > 0 ? [] : [rateLimited(rate.limit, rate.resetsAt)];
  }
}

/** How many such images the account could pay for: what is left of the allowance, then what the credits buy. */
function affordableCount(balance: Balance, priced: PricedGenerate): number | null {
  if (priced.unitCredits === null) return 0;
  const available = availableOf(balance);
  const underCap = balance.spendCap === null ? null : balance.spendCap - balance.spent;
  const spendable = available === null ? underCap : underCap === null || available < underCap ? available : underCap;
  if (spendable === null || priced.unitCredits === 0n) return null;
  return (priced.allowance?.left ?? 0) + Number((spendable > 0n ? spendable : 0n) / priced.unitCredits);
}
