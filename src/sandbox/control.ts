import { type Answer, type Call, jsonAnswer, jsonObject, type Route } from './exchange.ts';
import { FAULTS, FaultSyntaxError, STAGES, VENDORS } from './faults.ts';
import type { Desk } from './orders.ts';

const BODY_BYTES_MAX = 64 * 1024;

const NOTHING: Answer = { status: 204, headers: {}, body: Buffer.alloc(0) };

async function plan(desk: Desk, call: Call): Promise<Answer> {
  const body = jsonObject((await call.body(BODY_BYTES_MAX)) ?? Buffer.alloc(0));
  const vendor = VENDORS.find((each) => each === body?.vendor);
  if (!vendor) return jsonAnswer(400, { error: `vendor must be one of ${VENDORS.join(', ')}` });
  if (typeof body?.fault !== 'string') return jsonAnswer(400, { error: 'fault must be a string such as "status=503"' });
  try {
    desk.faults.next(vendor, body.fault, body.times === undefined ? undefined : Number(body.times));
  } catch (error) {
    if (error instanceof FaultSyntaxError) return jsonAnswer(400, { error: error.message });
    throw error;
  }
  return NOTHING;
}

function menu(desk: Desk): Answer {
  const faults = Object.entries(FAULTS).map(([name, { about }]) => ({ name, about }));
  return jsonAnswer(200, { faults, stages: STAGES, vendors: VENDORS, pending: desk.faults.pending() });
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
    {
      method: 'DELETE',
      path: /^\/_sandbox\/faults$/,
      handle: () => {
        desk.faults.clear();
        return NOTHING;
      },
    },
  ];
}
