import { type Answer, type Call, jsonAnswer, jsonObject, type Route } from './exchange.ts';
import { FAULTS, type FaultKind, STAGES, VENDORS } from './faults.menu.ts';
import { FaultSyntaxError } from './faults.ts';
import type { Desk } from './orders.ts';

const BODY_BYTES_MAX = 64 * 1024;

const NOTHING: Answer = { status: 204, headers: {}, body: Buffer.alloc(0) };

/** Does what is asked for, or says why it cannot be understood. */
function understood(act: () => void): Answer {
  try {
    act();
  } catch (error) {
    if (error instanceof FaultSyntaxError) return jsonAnswer(400, { error: error.message });
    throw error;
  }
  return NOTHING;
}

function clearing(clear: () => void): () => Answer {
  return () => {
    clear();
    return NOTHING;
  };
}

async function plan(desk: Desk, call: Call): Promise<Answer> {
  const body = jsonObject((await call.body(BODY_BYTES_MAX)) ?? Buffer.alloc(0));
  const vendor = VENDORS.find((each) => each === body?.vendor);
  if (!vendor) return jsonAnswer(400, { error: `vendor must be one of ${VENDORS.join(', ')}` });
  const { fault, times } = body ?? {};
  if (typeof fault !== 'string') return jsonAnswer(400, { error: 'fault must be a string such as "status=503"' });
  return understood(() => desk.faults.next(vendor, fault, times === undefined ? undefined : Number(times)));
}

async function setRates(desk: Desk, call: Call): Promise<Answer> {
  const body = jsonObject((await call.body(BODY_BYTES_MAX)) ?? Buffer.alloc(0));
  const { rates, seed } = body ?? {};
  if (typeof rates !== 'string') return jsonAnswer(400, { error: 'rates must be a string such as "5% status=503"' });
  if (seed !== undefined && !Number.isSafeInteger(seed))
    return jsonAnswer(400, { error: 'seed must be a whole number' });
  return understood(() => desk.rates.set(rates, seed === undefined ? undefined : Number(seed)));
}

function menu({ faults, rates }: Desk): Answer {
  const kinds: readonly (readonly [string, FaultKind])[] = Object.entries(FAULTS);
  const list = kinds.map(([name, { effect, about, value }]) => ({
    name,
    effect,
    about,
    ...(value && { value: { unit: value.unit, usual: value.bare } }),
  }));
  return jsonAnswer(200, {
    faults: list,
    stages: STAGES,
    vendors: VENDORS,
    pending: faults.pending(),
    ...rates.shown(),
  });
}

/** What no vendor has: the journal, and faults on request. */
export function controlRoutes(desk: Desk): readonly Route[] {
  return [
    {
      method: 'GET',
      path: /^\/_sandbox\/journal$/,
      handle: () => jsonAnswer(200, { entries: desk.journal.entries() }),
    },
    { method: 'GET', path: /^\/_sandbox\/faults$/, handle: () => menu(desk) },
    { method: 'POST', path: /^\/_sandbox\/faults$/, handle: (call) => plan(desk, call) },
    { method: 'DELETE', path: /^\/_sandbox\/faults$/, handle: clearing(() => desk.faults.clear()) },
    { method: 'PUT', path: /^\/_sandbox\/faults\/rates$/, handle: (call) => setRates(desk, call) },
    { method: 'DELETE', path: /^\/_sandbox\/faults\/rates$/, handle: clearing(() => desk.rates.clear()) },
  ];
}
