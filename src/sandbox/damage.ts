import { type Answer, bytesAnswer, htmlAnswer } from './exchange.ts';
import type { FaultName } from './faults.menu.ts';
import type { Fault } from './faults.ts';
import type { Flaw } from './pictures.ts';

/** What a vendor says with an error status; `retryAfter` is as it was asked for, sensible or not. */
export type Refuse = (status: number, retryAfter: string | null) => Answer;

const RESET: Answer = { status: 0, headers: {}, body: Buffer.alloc(0), delivery: { kind: 'reset' } };

type Refusing = (fault: Fault, refuse: Refuse) => Answer;

/**
 * The faults that answer instead of drawing, apart from `moderated`, whose words differ from vendor to vendor. Some
 * vendors have a way of their own for others, too; this is how the rest says it.
 */
const REFUSING: Partial<Record<FaultName, Refusing>> = {
  status: (fault, refuse) => refuse(fault.value ?? 500, fault.retryAfter),
  html: ({ value }) => htmlAnswer(value ?? 502, 'Bad Gateway'),
  'no-funds': (_, refuse) => refuse(402, null),
  'daily-quota': ({ retryAfter }, refuse) => refuse(429, retryAfter),
  loading: ({ retryAfter }, refuse) => refuse(503, retryAfter),
  'reset-before': () => RESET,
};

/** The answer that a fault gives instead of the vendor's, or null when the vendor goes on with its work. */
export function refusalBy(fault: Fault, refuse: Refuse): Answer | null {
  return REFUSING[fault.name]?.(fault, refuse) ?? null;
}

function truncated(answer: Answer): Answer {
  const isJson = (answer.headers['content-type'] ?? '').startsWith('application/json');
  if (!isJson) return bytesAnswer('application/json', Buffer.from('{"image":"iVBORw0KGgoAAAANSUhEUgAA'));
  return { ...answer, body: answer.body.subarray(0, Math.max(1, Math.floor(answer.body.length / 2))) };
}

function declaredAs(contentType: string, answer: Answer): Answer {
  return { ...answer, headers: { ...answer.headers, 'content-type': contentType } };
}

type Spoil = (answer: Answer, fault: Fault) => Answer;

const SPOILING: Partial<Record<FaultName, Spoil>> = {
  'reset-after': (answer) => ({ ...answer, delivery: { kind: 'reset' } }),
  'reset-midway': (answer) => ({ ...answer, delivery: { kind: 'cut-halfway' } }),
  never: (answer) => ({ ...answer, delivery: { kind: 'never' } }),
  endless: (answer) => ({ ...answer, delivery: { kind: 'endless' } }),
  'slow-headers': (answer, { value }) => ({ ...answer, delivery: { kind: 'late', ms: value ?? 0 } }),
  'slow-body': (answer, { value }) => ({ ...answer, delivery: { kind: 'dripped', ms: value ?? 0 } }),
  'picture-as-html': (answer) => declaredAs('text/html; charset=utf-8', answer),
  'html-as-picture': (answer) => declaredAs('image/png', { ...answer, body: htmlAnswer(200, 'Welcome').body }),
  empty: (answer) => ({ ...answer, body: Buffer.alloc(0) }),
  'truncated-json': truncated,
  'wrong-type': (answer) => ({ ...answer, ...htmlAnswer(200, 'Welcome') }),
  prose: (answer) => ({
    ...answer,
    ...bytesAnswer('text/plain; charset=utf-8', Buffer.from('I would rather describe this picture than draw it.')),
  }),
};

/** The answer as it leaves after a fault of the kinds `connection` and `answer`; other faults leave it as it is. */
export function spoiled(answer: Answer, fault: Fault): Answer {
  return SPOILING[fault.name]?.(answer, fault) ?? answer;
}

/** What is done to the bytes of a picture by the faults of the kind `picture`, apart from `withheld`. */
const FLAW_OF: Partial<Record<FaultName, Flaw>> = {
  blurred: 'blurred',
  black: 'black',
  'truncated-picture': 'truncated',
  'wrong-size': 'half-size',
  bomb: 'bomb',
  huge: 'huge',
};

/** How a picture is spoiled; `withheldAs` says how this vendor withholds, null when it sends the picture anyway. */
export function flawOf(fault: Fault, withheldAs: Flaw | null): Flaw | null {
  return fault.name === 'withheld' ? withheldAs : (FLAW_OF[fault.name] ?? null);
}

/** Whether the vendor draws this picture and then keeps it back. */
export function isWithheld(faults: readonly Fault[]): boolean {
  return faults.some(({ name }) => name === 'withheld');
}

/** Whether the vendor says that this picture is unfit, be it kept back or not. */
export function isFlagged(faults: readonly Fault[]): boolean {
  return faults.some(({ name }) => name === 'withheld' || name === 'flagged');
}

const KEPT_BACK: ReadonlySet<FaultName> = new Set(['withheld', 'flagged', 'blurred', 'black']);

/** What the journal calls a picture with such faults, or null when nothing is wrong with the picture itself. */
export function outcomeOfPicture(faults: readonly Fault[]): 'withheld' | 'damaged' | null {
  const flaws = faults.filter(({ effect }) => effect === 'picture');
  if (flaws.some(({ name }) => !KEPT_BACK.has(name))) return 'damaged';
  return flaws.length > 0 ? 'withheld' : null;
}

const WITHOUT_DELIVERY: ReadonlySet<FaultName> = new Set(['reset-after', 'reset-midway', 'never', 'endless']);

/** Whether the client cannot get the answer at all. */
export function isLost(fault: Fault): boolean {
  return WITHOUT_DELIVERY.has(fault.name);
}
