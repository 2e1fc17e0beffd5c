import { randomInt } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { flawOf, isLost, outcomeOfPicture, type Refuse, refusalBy, spoiled } from './damage.ts';
import { type Answer, type Call, Refusal } from './exchange.ts';
import type { FaultName, Vendor } from './faults.menu.ts';
import { directivesIn, type Fault, FaultSyntaxError, withoutDirectives } from './faults.ts';
import { pictureOf } from './gallery.ts';
import type { FaultSources, Jobs } from './jobs.ts';
import type { Bought, Journal, Line, NewEntry, Outcome } from './journal.ts';
import type { Order } from './order.ts';
import type { Flaw } from './pictures.ts';
import type { Webhooks } from './wavespeed.webhooks.ts';

/** What all vendors' modules work with. */
export interface Desk extends FaultSources {
  /** Where this sandbox is reached; vendors put it into the addresses that they give out. */
  origin(): string;
  /** 0 draws at once, 1 takes as long as the vendors usually do. */
  readonly latency: number;
  readonly journal: Journal;
  readonly jobs: Jobs;
  readonly webhooks: Webhooks;
  /** Aborted when the sandbox closes; whatever goes on beside the requests must end with it. */
  readonly closing: AbortSignal;
}

/** What is known of a request so far, filled in while it is read, so that even a refusal is journalled in full. */
export interface Slip {
  model: string | null;
  prompt: string | null;
}

/** An order that was bought, on its way to being served. */
export interface Sale<T extends Order> {
  readonly order: T;
  readonly call: Call;
  readonly line: Line;
  readonly faults: readonly Fault[];
}

/** How one vendor takes orders. `admit` and `read` may throw a Refusal; what is served has been bought. */
export interface Counter<T extends Order> {
  readonly vendor: Vendor;
  readonly bodyBytesMax: number;
  readonly refuse: Refuse;
  /** The words of a refusal by moderation before drawing; null where it only shows when the job is looked at. */
  readonly moderated: (() => Answer) | null;
  /** Refusals that this vendor words in a way of its own. Each of them proves that nothing was bought. */
  readonly special?: Partial<Record<FaultName, (fault: Fault) => Answer>>;
  /** Whether the answer to an order is the picture, and so the end of it. */
  readonly servesAtOnce: boolean;
  /** What must hold before the body is even looked at: credentials, then the address. */
  admit(call: Call, slip: Slip): void;
  read(call: Call, body: Buffer, slip: Slip): T | Promise<T>;
  serve(sale: Sale<T>): Promise<Answer>;
  /** What a model that would rather talk than draw answers, where it has a way of its own. */
  readonly prose?: (sale: Sale<T>) => Answer;
}

const SEED_MAX = 4_294_967_294;

/** A seed for whoever does not name one; never 0, which would mean that there is none. */
export function anySeed(max: number = SEED_MAX): number {
  return randomInt(1, max);
}

/** Waits as long as the vendor would take, unless the client goes away. */
export async function takeTime(desk: Desk, seconds: number, gone: AbortSignal): Promise<void> {
  gone.throwIfAborted();
  const ms = seconds * 1000 * desk.latency;
  if (ms > 0) await sleep(ms, undefined, { signal: gone });
}

/** Draws what was ordered, with whatever the faults make of it. `withheldAs` is how this vendor withholds a picture. */
export function drawOrder(order: Order, faults: readonly Fault[], withheldAs: Flaw | null): Promise<Buffer> {
  const recipe = { ...order, seed: order.seed ?? 0, caption: withoutDirectives(order.prompt) };
  for (const fault of faults) {
    const flaw = flawOf(fault, withheldAs);
    if (flaw) return pictureOf(recipe, flaw, fault.value ?? 0);
  }
  return pictureOf(recipe);
}

/** What the journal says of a picture that was sent as the answer to its order. */
function outcomeOf(faults: readonly Fault[]): Outcome {
  if (faults.some(isLost)) return 'unanswered';
  if (faults.some(({ effect }) => effect === 'answer')) return 'damaged';
  return outcomeOfPicture(faults) ?? 'delivered';
}

function refusedAs(answer: Answer): { outcome: Outcome; bought: Bought } {
  return answer.status >= 500 ? { outcome: 'errored', bought: 'unknown' } : { outcome: 'refused', bought: 'no' };
}

type Known = Pick<NewEntry, 'model' | 'prompt'> & Partial<NewEntry>;

function entryOf(vendor: Vendor, known: Known, faults: readonly Fault[]): Omit<NewEntry, 'outcome' | 'bought'> {
  const { model, prompt, seed = null, width = null, height = null, pictures = null } = known;
  const fault = faults.map(({ spec }) => spec).join(', ') || null;
  return { vendor, model, vendorId: null, prompt: prompt || null, seed, width, height, pictures, fault };
}

function directivesOf<T extends Order>(counter: Counter<T>, order: T): readonly Fault[] {
  try {
    return directivesIn(order.prompt, counter.vendor);
  } catch (error) {
    if (!(error instanceof FaultSyntaxError)) throw error;
    const refusal = counter.refuse(400, null);
    // Said in the sandbox's own words: a misspelt directive that quietly draws a picture would make a test pass.
    const body = Buffer.from(JSON.stringify({ sandbox: error.message }));
    throw new Refusal({ ...refusal, headers: { 'content-type': 'application/json' }, body });
  }
}

/** The answer given instead of drawing, with what the journal says of it. */
function turnedDown<T extends Order>(
  counter: Counter<T>,
  faults: readonly Fault[],
): { answer: Answer; outcome: Outcome; bought: Bought } | null {
  for (const fault of faults) {
    const special = counter.special?.[fault.name]?.(fault);
    if (special) return { answer: special, outcome: 'refused', bought: 'no' };
    const answer = fault.name === 'moderated' ? counter.moderated?.() : refusalBy(fault, counter.refuse);
    if (!answer) continue;
    if (fault.name === 'moderated') return { answer, outcome: 'moderated', bought: 'no' };
    return { answer, ...refusedAs(answer) };
  }
  return null;
}

async function sell<T extends Order>(counter: Counter<T>, sale: Sale<T>): Promise<Answer> {
  const { line, faults } = sale;
  const lost = () => line.amend({ outcome: 'unanswered' });
  try {
    const speaks = counter.prose && faults.some(({ name }) => name === 'prose');
    const served = await (speaks ? counter.prose(sale) : counter.serve(sale));
    const answer = faults.filter(({ name }) => !(speaks && name === 'prose')).reduce(spoiled, served);
    if (!counter.servesAtOnce) return answer;
    line.amend({ outcome: outcomeOf(faults) });
    return { ...answer, lost };
  } catch (error) {
    if (counter.servesAtOnce && sale.call.gone.aborted) lost();
    throw error;
  }
}

interface Received<T extends Order> {
  readonly order: T;
  readonly faults: readonly Fault[];
}

/** Reads a request up to the point where it is either an order or a refusal, which is journalled. */
async function receive<T extends Order>(
  desk: Desk,
  counter: Counter<T>,
  call: Call,
): Promise<Received<T> | { readonly refusal: Answer }> {
  const { vendor } = counter;
  const slip: Slip = { model: null, prompt: null };
  let planned: readonly Fault[] = [];
  try {
    counter.admit(call, slip);
    const next = desk.faults.take(vendor, 'submit');
    planned = next ? [next] : [];
    // This one strikes before a byte of the body is read; the others need to know what is asked.
    const reset = next?.name === 'reset-before' ? refusalBy(next, counter.refuse) : null;
    if (reset) throw new Refusal(reset);
    const body = await call.body(counter.bodyBytesMax);
    if (body === null) throw new Refusal(counter.refuse(413, null));
    const order = await counter.read(call, body, slip);
    const directives = directivesOf(counter, order).filter(({ on }) => on === 'submit');
    const wanted = [...planned, ...directives];
    const chance = wanted.length > 0 ? null : desk.rates.roll(vendor, 'submit');
    return { order, faults: chance ? [chance] : wanted };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    desk.journal.write({ ...entryOf(vendor, slip, planned), ...refusedAs(error.answer) });
    return { refusal: error.answer };
  }
}

/**
 * Takes an order from its first header to its answer: credentials, faults that come before the body, the body, the
 * checks, the faults that the prompt asks for, the purchase in the journal, and the vendor's work.
 */
export async function takeOrder<T extends Order>(desk: Desk, counter: Counter<T>, call: Call): Promise<Answer> {
  const received = await receive(desk, counter, call);
  if ('refusal' in received) return received.refusal;
  const { order, faults } = received;
  const known = entryOf(counter.vendor, { pictures: 1, ...order }, faults);
  const turned = turnedDown(counter, faults);
  if (turned) {
    desk.journal.write({ ...known, outcome: turned.outcome, bought: turned.bought });
    return turned.answer;
  }
  const line = desk.journal.write({ ...known, outcome: 'accepted', bought: 'yes' });
  return sell(counter, { order, call, line, faults });
}
