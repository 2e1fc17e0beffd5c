import { type Answer, type Call, jsonAnswer, type Route } from './exchange.ts';
import type { JournalEntry } from './journal.ts';
import { type Counter, type Desk, type Sale, type Slip, takeOrder, takeTime } from './orders.ts';
import { readEdit } from './stability.edits.ts';
import { BODY_BYTES_MAX, keyOf, moderated, newId, ownerOf, refuse, type StabilityOrder } from './stability.forms.ts';
import { ENDPOINTS, readGenerate, TARIFFS } from './stability.generate.ts';
import { delivered, promised, result } from './stability.results.ts';
import { SERVICES } from './stability.services.ts';

async function serve(desk: Desk, { order, call, line, faults }: Sale<StabilityOrder>): Promise<Answer> {
  await takeTime(desk, order.seconds, call.gone);
  const requestId = newId();
  const answer = await delivered(order, faults, order.asJson, requestId);
  line.amend({ vendorId: requestId });
  return answer;
}

type Read = (call: Call, body: Buffer, slip: Slip) => Promise<StabilityOrder>;

function counterOf(desk: Desk, service: string, isAsync: boolean, read: Read): Counter<StabilityOrder> {
  return {
    vendor: 'stability',
    bodyBytesMax: BODY_BYTES_MAX,
    refuse,
    moderated: isAsync ? null : moderated,
    servesAtOnce: !isAsync,
    admit: (call, slip) => {
      slip.model = service;
      ownerOf(call);
    },
    read,
    serve: async (sale) => (isAsync ? promised(desk, sale) : serve(desk, sale)),
  };
}

/** What the account holds at the start. The sandbox never lets it run out: that is what `status=402` is for. */
const CREDITS_AT_START = 1_000_000;

function creditsFor(model: string | null): number {
  return (TARIFFS[model ?? ''] ?? SERVICES[model ?? ''])?.credits ?? 0;
}

function spent(entries: readonly JournalEntry[]): number {
  return entries
    .filter(({ vendor, bought }) => vendor === 'stability' && bought === 'yes')
    .reduce((sum, { model }) => sum + creditsFor(model), 0);
}

function balance(desk: Desk, call: Call): Answer {
  if (keyOf(call) === null) {
    // The first version of the API says what is wrong in `message`, not in `errors`.
    return jsonAnswer(401, { id: newId(), name: 'unauthorized', message: 'Incorrect API key provided' });
  }
  return jsonAnswer(200, { credits: CREDITS_AT_START - spent(desk.journal.entries()) });
}

function orderRoute(path: string, desk: Desk, counter: Counter<StabilityOrder>): Route {
  return {
    method: 'POST',
    path: new RegExp(`^/v2beta/stable-image/${path}$`),
    handle: (call) => takeOrder(desk, counter, call),
  };
}

/** Stability AI: forms in, bytes or base64 out, at once or, for what takes long, when the result is asked for. */
export function stabilityRoutes(desk: Desk): readonly Route[] {
  return [
    ...Object.entries(ENDPOINTS).map(([service, endpoint]) => {
      const read: Read = (...request) => readGenerate(service, endpoint, ...request);
      return orderRoute(`generate/${service}`, desk, counterOf(desk, service, false, read));
    }),
    ...Object.entries(SERVICES).map(([name, service]) => {
      const read: Read = (...request) => readEdit(name, service, ...request);
      return orderRoute(service.path, desk, counterOf(desk, name, service.isAsync ?? false, read));
    }),
    { method: 'GET', path: /^\/v2beta\/results\/([^/]+)$/, handle: (call, [id = '']) => result(desk, call, id) },
    {
      method: 'GET',
      // The address of results from before there was another service that needs time.
      path: /^\/v2beta\/stable-image\/upscale\/creative\/result\/([^/]+)$/,
      handle: (call, [id = '']) => result(desk, call, id, 'creative'),
    },
    { method: 'GET', path: /^\/v1\/user\/balance$/, handle: (call) => balance(desk, call) },
  ];
}
