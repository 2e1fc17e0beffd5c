import { randomBytes } from 'node:crypto';
import { problemsIn } from './checks.ts';
import type { Refuse } from './damage.ts';
import {
  type Answer,
  bearerOf,
  type Call,
  type JsonObject,
  jsonAnswer,
  jsonObject,
  Refusal,
  type Route,
} from './exchange.ts';
import { type Fate, type Job, type Phase, strike } from './jobs.ts';
import type { Order } from './order.ts';
import { anySeed, type Counter, type Desk, drawOrder, isWithheld, type Sale, takeOrder, takeTime } from './orders.ts';
import { outputUrl } from './outputs.ts';
import { MODELS, type Model, SEED_MAX } from './wavespeed.models.ts';

const BODY_BYTES_MAX = 20 * 1024 * 1024;

function envelope(data: unknown): Answer {
  return jsonAnswer(200, { code: 200, message: 'success', data });
}

const MESSAGES: Readonly<Record<number, string>> = {
  400: 'invalid request',
  401: 'invalid authentication',
  402: 'insufficient credits, please top up your account',
  403: 'forbidden',
  404: 'not found',
  410: 'model is no longer available',
  413: 'request body is too large',
  422: 'invalid parameters',
  429: 'Too Many Requests',
  500: 'internal server error',
  502: 'bad gateway',
  503: 'service unavailable',
  504: 'gateway timeout',
};

function failure(status: number, message: string, headers: Record<string, string> = {}): Answer {
  return jsonAnswer(status, { code: status, message }, headers);
}

const refuse: Refuse = (status, retryAfter) =>
  failure(status, MESSAGES[status] ?? 'error', retryAfter === null ? {} : { 'retry-after': retryAfter });

function ownerOf(call: Call): string {
  const key = bearerOf(call);
  if (key === null || key.includes('invalid')) throw new Refusal(refuse(401, null));
  return key;
}

interface WavespeedOrder extends Order {
  readonly asBase64: boolean;
  readonly waits: boolean;
}

function read(modelId: string, model: Model, body: Buffer): WavespeedOrder {
  const input = jsonObject(body);
  if (!input) throw new Refusal(failure(400, 'invalid request body: a JSON object is needed'));
  const problems = problemsIn(input, model.checks, ['prompt']);
  if (problems.length > 0) {
    throw new Refusal(failure(400, problems.map(({ field, problem }) => `property "${field}" ${problem}`).join('; ')));
  }
  const { seed } = input;
  return {
    model: modelId,
    prompt: String(input.prompt),
    ...model.size(input),
    seed: typeof seed === 'number' && seed >= 0 && model.checks.seed ? seed : anySeed(SEED_MAX),
    format: model.format(input),
    seconds: model.seconds,
    asBase64: input.enable_base64_output === true,
    waits: model.synchronousMode && input.enable_sync_mode === true,
  };
}

const STATUS_OF: Record<Phase, string> = {
  queued: 'created',
  drawing: 'processing',
  done: 'completed',
  cancelled: 'cancelled',
};

/** The ends that are not a picture: still HTTP 200, with the reason inside. */
const FAILURES: Partial<Record<Fate, { code: number; error: string }>> = {
  failed: { code: 1405, error: 'The task failed while it was being processed.' },
  moderated: { code: 1200, error: 'The content was flagged as potentially sensitive. Please try another prompt.' },
};

async function outputsOf(desk: Desk, job: Job, order: WavespeedOrder): Promise<readonly string[]> {
  if (!order.asBase64) return [outputUrl(desk, job)];
  return [(await drawOrder(order, job.faults, null)).toString('base64')];
}

async function prediction(desk: Desk, job: Job, order: WavespeedOrder): Promise<JsonObject> {
  const failed = job.phase === 'done' ? FAILURES[job.fate] : undefined;
  const drawn = job.phase === 'done' && !failed;
  const milliseconds = job.phase === 'done' ? Math.round(order.seconds * 1000 * desk.latency) : 0;
  return {
    id: job.id,
    model: order.model,
    outputs: drawn ? await outputsOf(desk, job, order) : [],
    urls: { get: `${desk.origin()}/api/v3/predictions/${job.id}/result` },
    has_nsfw_contents: drawn ? [isWithheld(job.faults)] : [],
    status: failed ? 'failed' : STATUS_OF[job.phase],
    created_at: new Date(job.openedAtMs).toISOString(),
    error: '',
    executionTime: milliseconds,
    timings: { inference: milliseconds },
    ...failed,
  };
}

async function serve(desk: Desk, { order, call, line, faults }: Sale<WavespeedOrder>): Promise<Answer> {
  const id = randomBytes(16).toString('hex');
  const job = desk.jobs.open({ id, vendor: 'wavespeed', owner: ownerOf(call), order, line, faults });
  if (!order.waits) return envelope(await prediction(desk, job, order));
  await takeTime(desk, order.seconds, call.gone);
  const phase = desk.jobs.finish(job);
  const late = { code: 5004, error: 'Sync mode timed out. Please get the result by polling.' };
  return envelope({ ...(await prediction(desk, job, order)), ...(phase === 'done' ? {} : late) });
}

function submit(desk: Desk, call: Call, modelId: string): Promise<Answer> {
  const model = MODELS.get(modelId);
  const counter: Counter<WavespeedOrder> = {
    vendor: 'wavespeed',
    bodyBytesMax: BODY_BYTES_MAX,
    refuse,
    moderated: null,
    servesAtOnce: false,
    admit: (_, slip) => {
      slip.model = modelId;
      ownerOf(call);
      if (!model) throw new Refusal(failure(404, `model not found: ${modelId}`));
    },
    read: (_, body, slip) => {
      slip.prompt = String(jsonObject(body)?.prompt ?? '') || null;
      if (!model) throw new Refusal(refuse(404, null));
      return read(modelId, model, body);
    },
    serve: (sale) => serve(desk, sale),
  };
  return takeOrder(desk, counter, call);
}

function isWavespeedOrder(order: Order): order is WavespeedOrder {
  return 'asBase64' in order;
}

async function poll(desk: Desk, call: Call, id: string): Promise<Answer> {
  const owner = ownerOf(call);
  const job = desk.jobs.find('wavespeed', id);
  const missing = failure(404, 'prediction not found');
  if (!job || job.owner !== owner || !isWavespeedOrder(job.order)) return missing;
  const { order } = job;
  return strike(desk.faults, job, 'poll', refuse, async () => {
    desk.jobs.look(job);
    if (job.fate === 'gone') return missing;
    const shown = await prediction(desk, job, order);
    return envelope(job.fate === 'unheard-of' ? { ...shown, status: 'paused' } : shown);
  });
}

async function remove(desk: Desk, call: Call): Promise<Answer> {
  const owner = ownerOf(call);
  const body = jsonObject((await call.body(BODY_BYTES_MAX)) ?? Buffer.alloc(0));
  if (!Array.isArray(body?.ids)) return failure(400, 'property "ids" is required');
  for (const id of body.ids) {
    const job = desk.jobs.find('wavespeed', String(id));
    if (!job || job.owner !== owner) continue;
    desk.jobs.cancel(job);
    desk.jobs.forget(job);
  }
  return envelope({});
}

async function price(call: Call): Promise<Answer> {
  ownerOf(call);
  const body = jsonObject((await call.body(BODY_BYTES_MAX)) ?? Buffer.alloc(0));
  const modelId = String(body?.model_id ?? '');
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

/** What the account holds at the start. The sandbox never lets it run out: that is what `status=402` is for. */
const MILLS_AT_START = 10_000_000;

function balance(desk: Desk, call: Call): Answer {
  ownerOf(call);
  const mills = desk.journal
    .entries()
    .filter(({ vendor, bought }) => vendor === 'wavespeed' && bought === 'yes')
    .reduce((sum, { model }) => sum + Math.round((MODELS.get(model ?? '')?.usd ?? 0) * 1000), 0);
  return envelope({ balance: (MILLS_AT_START - mills) / 1000 });
}

/** WaveSpeed: every answer in an envelope, every picture a prediction that is polled. */
export function wavespeedRoutes(desk: Desk): readonly Route[] {
  return [
    { method: 'GET', path: /^\/api\/v3\/balance$/, handle: (call) => balance(desk, call) },
    { method: 'POST', path: /^\/api\/v3\/model\/price$/, handle: (call) => price(call) },
    { method: 'POST', path: /^\/api\/v3\/predictions\/delete$/, handle: (call) => remove(desk, call) },
    {
      method: 'GET',
      path: /^\/api\/v3\/predictions\/([^/]+)(?:\/result)?$/,
      handle: (call, [id = '']) => poll(desk, call, id),
    },
    // Last, because the ids of models are paths themselves.
    { method: 'POST', path: /^\/api\/v3\/(.+)$/, handle: (call, [modelId = '']) => submit(desk, call, modelId) },
  ];
}
