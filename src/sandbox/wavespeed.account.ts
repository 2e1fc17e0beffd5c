import { type Check, problemsIn, text, whole } from './checks.ts';
import { type Answer, type Call, type JsonObject, jsonObject, type Route } from './exchange.ts';
import { shownPhase } from './jobs.ts';
import type { Desk } from './orders.ts';
import { BODY_BYTES_MAX, envelope, failure, ownerOf } from './wavespeed.envelope.ts';
import { MODELS } from './wavespeed.models.ts';
import { isWavespeedOrder, predictionOf } from './wavespeed.prediction.ts';

async function bodyOf(call: Call): Promise<JsonObject | null> {
  return jsonObject((await call.body(BODY_BYTES_MAX)) ?? Buffer.alloc(0));
}

async function price(call: Call): Promise<Answer> {
  ownerOf(call);
  const modelId = String((await bodyOf(call))?.model_id ?? '');
  const model = MODELS.get(modelId);
  if (!model) return failure(404, `model not found: ${modelId}`);
  return envelope({
    model_id: modelId,
    price: model.usd,
    discounted_price: model.usd,
    discount_rate: 0,
    currency: 'USD',
  });
}

/** What the account holds at the start. The sandbox never lets it run out: that is what `no-funds` is for. */
const MILLS_AT_START = 10_000_000;

function balance(desk: Desk, call: Call): Answer {
  ownerOf(call);
  const mills = desk.journal
    .entries()
    .filter(({ vendor, bought }) => vendor === 'wavespeed' && bought === 'yes')
    .reduce((sum, { model }) => sum + Math.round((MODELS.get(model ?? '')?.usd ?? 0) * 1000), 0);
  return envelope({ balance: (MILLS_AT_START - mills) / 1000 });
}

function catalogue(call: Call): Answer {
  ownerOf(call);
  const models = [...MODELS].map(([id, { usd, type, required, properties }]) => ({
    model_id: id,
    name: id,
    type,
    base_price: usd,
    formula: 'base_price',
    api_schema: { api_schemas: [{ request_schema: { type: 'object', required, properties } }] },
  }));
  return envelope(models);
}

const PAGE_SIZE_MAX = 100;

const date: Check = (value) =>
  typeof value === 'string' && !Number.isNaN(Date.parse(value)) ? null : 'must be a date and time in ISO 8601';

const FILTERS: Readonly<Record<string, Check>> = {
  page: whole(1, 1_000_000),
  page_size: whole(1, PAGE_SIZE_MAX),
  model: text(1, 200),
  status: text(1, 20),
  created_after: date,
  created_before: date,
};

/** What this account has ordered, the youngest first. Looking at the list moves no job on. */
async function history(desk: Desk, call: Call): Promise<Answer> {
  const owner = ownerOf(call);
  const filters = await bodyOf(call);
  if (!filters) return failure(400, 'invalid request body: a JSON object is needed');
  const [first] = problemsIn(filters, FILTERS);
  if (first) return failure(400, `property "${first.field}" ${first.problem}`);
  const { page = 1, page_size: size = PAGE_SIZE_MAX, model, status, created_after, created_before } = filters;
  const moment = (value: unknown, otherwise: number) => (typeof value === 'string' ? Date.parse(value) : otherwise);
  const from = moment(created_after, Number.NEGATIVE_INFINITY);
  const until = moment(created_before, Number.POSITIVE_INFINITY);
  const found: JsonObject[] = [];
  for (const job of desk.jobs.listOf('wavespeed', owner)) {
    const { order, openedAtMs } = job;
    if (!isWavespeedOrder(order) || job.mask === 'gone' || openedAtMs < from || openedAtMs > until) continue;
    // Addresses even for who asked for base64: a page of a hundred pictures would be nobody's list.
    const shown = await predictionOf(desk, job, { ...order, asBase64: false }, shownPhase(job));
    if (model !== undefined && shown.model !== model) continue;
    if (status === undefined || shown.status === status) found.push(shown);
  }
  const start = (Number(page) - 1) * Number(size);
  return envelope({ page, total: found.length, items: found.slice(start, start + Number(size)) });
}

/** What an account can ask about itself and the vendor, beside its pictures. */
export function accountRoutes(desk: Desk): readonly Route[] {
  return [
    { method: 'GET', path: /^\/api\/v3\/balance$/, handle: (call) => balance(desk, call) },
    { method: 'GET', path: /^\/api\/v3\/models$/, handle: catalogue },
    {
      method: 'GET',
      path: /^\/api\/v3\/webhook\/secret$/,
      handle: (call) => envelope({ secret: desk.webhooks.secretOf(ownerOf(call)) }),
    },
    { method: 'POST', path: /^\/api\/v3\/model\/price$/, handle: price },
    { method: 'POST', path: /^\/api\/v3\/predictions$/, handle: (call) => history(desk, call) },
  ];
}
