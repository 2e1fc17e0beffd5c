import { type Answer, bytesAnswer, htmlAnswer } from './exchange.ts';
import type { Fault, FaultName } from './faults.ts';
import type { Flaw } from './pictures.ts';

/** What a vendor says with an error status; `retryAfter` is as it was asked for, sensible or not. */
export type Refuse = (status: number, retryAfter: string | null) => Answer;

const RESET: Answer = { status: 0, headers: {}, body: Buffer.alloc(0), delivery: { kind: 'reset' } };

type Refusing = (fault: Fault, refuse: Refuse) => Answer;

/** The faults that answer instead of drawing, apart from `moderated`, whose words differ from vendor to vendor. */
const REFUSING: Partial<Record<FaultName, Refusing>> = {
  status: (fault, refuse) => refuse(fault.value ?? 500, fault.retryAfter),
  html: () => htmlAnswer(502, 'Bad Gateway'),
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

type Spoil = (answer: Answer, fault: Fault) => Answer;

const SPOILING: Partial<Record<FaultName, Spoil>> = {
  'reset-after': (answer) => ({ ...answer, delivery: { kind: 'reset' } }),
  'reset-midway': (answer) => ({ ...answer, delivery: { kind: 'cut-halfway' } }),
  never: (answer) => ({ ...answer, delivery: { kind: 'never' } }),
  'slow-headers': (answer, { value }) => ({ ...answer, delivery: { kind: 'late', ms: value ?? 0 } }),
  'slow-body': (answer, { value }) => ({ ...answer, delivery: { kind: 'dripped', ms: value ?? 0 } }),
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
  'truncated-picture': 'truncated',
  'wrong-size': 'half-size',
  bomb: 'bomb',
  huge: 'huge',
};

/** How a picture is spoiled; `withheldAs` says how this vendor withholds, null when it sends the picture anyway. */
export function flawOf(fault: Fault, withheldAs: Flaw | null): Flaw | null {
  return fault.name === 'withheld' ? withheldAs : (FLAW_OF[fault.name] ?? null);
}

const WITHOUT_DELIVERY: ReadonlySet<FaultName> = new Set(['reset-after', 'reset-midway', 'never']);

/** Whether the client cannot get the answer at all. */
export function isLost(fault: Fault): boolean {
  return WITHOUT_DELIVERY.has(fault.name);
}
