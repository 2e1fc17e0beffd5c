import { randomUUID } from 'node:crypto';
import { type Check, flag, number, oneOf, type Problem, problemsIn, text, whole } from './checks.ts';
import { isFlagged, type Refuse } from './damage.ts';
import {
  type Answer,
  type Call,
  isObject,
  type JsonObject,
  jsonAnswer,
  jsonObject,
  Refusal,
  type Route,
} from './exchange.ts';
import { callerOf, inFluxBlocks, refuseAsRouter } from './huggingface.router.ts';
import { type Fate, type Job, type Phase, strike } from './jobs.ts';
import type { Order } from './order.ts';
import { anySeed, type Counter, type Desk, type Sale, takeOrder } from './orders.ts';
import { outputUrl } from './outputs.ts';
import { CONTENT_TYPES } from './pictures.ts';

const BODY_BYTES_MAX = 10 * 1024 * 1024;
const SEED_MAX = 2_147_483_647;
/** Sub-models of the app `fal-ai/flux` with their usual seconds. */
const SECONDS: ReadonlyMap<string, number> = new Map([
  ['schnell', 3],
  ['dev', 10],
  ['krea', 10],
]);
const APP = 'fal-ai/flux';

const PRESETS = new Map<unknown, { width: number; height: number }>([
  ['square_hd', { width: 1024, height: 1024 }],
  ['square', { width: 512, height: 512 }],
  ['portrait_4_3', { width: 768, height: 1024 }],
  ['portrait_16_9', { width: 576, height: 1024 }],
  ['landscape_4_3', { width: 1024, height: 768 }],
  ['landscape_16_9', { width: 1024, height: 576 }],
]);
const DEFAULT_SIZE = { width: 1024, height: 768 };

const side = whole(64, 2048);
const imageSize: Check = (value) => {
  if (PRESETS.has(value)) return null;
  const fits = isObject(value) && side(value.width) === null && side(value.height) === null;
  return fits ? null : `must be {width, height} from 64 to 2048, or one of ${[...PRESETS.keys()].join(', ')}`;
};

const INPUT: Readonly<Record<string, Check>> = {
  prompt: text(1, 10_000),
  image_size: imageSize,
  num_inference_steps: whole(1, 50),
  guidance_scale: number(1, 20),
  seed: whole(0, SEED_MAX),
  // The model draws up to four at once; the sandbox counts purchases by request, so it insists on one.
  num_images: oneOf(1),
  enable_safety_checker: flag,
  output_format: oneOf('jpeg', 'png'),
};

function detail(status: number, type: string, loc: readonly string[], msg: string): Answer {
  return jsonAnswer(status, { detail: [{ loc, msg, type }] }, { 'x-fal-request-id': randomUUID() });
}

const refuse: Refuse = (status, retryAfter) =>
  status === 422
    ? detail(422, 'value_error', ['body', 'prompt'], 'value is not valid')
    : refuseAsRouter(status, retryAfter);

interface FalOrder extends Order {
  readonly invalid: readonly Problem[];
}

function sizeOf(input: JsonObject): { width: number; height: number } {
  const { image_size: size } = input;
  const preset = PRESETS.get(size);
  if (preset) return preset;
  if (!isObject(size) || imageSize(size) !== null) return DEFAULT_SIZE;
  return { width: inFluxBlocks(Number(size.width)), height: inFluxBlocks(Number(size.height)) };
}

/**
 * The queue takes anything that is JSON: what is wrong with the input only shows when the result is fetched, because
 * the model that checks it runs behind the queue.
 */
function read(model: string, body: Buffer): FalOrder {
  const input = jsonObject(body);
  if (!input) throw new Refusal(detail(422, 'json_invalid', ['body'], 'JSON decode error'));
  const { seed, prompt } = input;
  return {
    model,
    prompt: typeof prompt === 'string' ? prompt : '',
    ...sizeOf(input),
    seed: typeof seed === 'number' && Number.isInteger(seed) ? seed : anySeed(SEED_MAX),
    format: input.output_format === 'png' ? 'png' : 'jpeg',
    seconds: SECONDS.get(model.slice(APP.length + 1)) ?? 0,
    invalid: problemsIn(input, INPUT, ['prompt']),
  };
}

/** Addresses that name another host than the router, and the app without its sub-model. */
function addresses(id: string): Record<string, string> {
  const responseUrl = `https://queue.fal.run/${APP}/requests/${id}`;
  return { response_url: responseUrl, status_url: `${responseUrl}/status`, cancel_url: `${responseUrl}/cancel` };
}

async function serve(desk: Desk, { order, call, line, faults }: Sale<FalOrder>): Promise<Answer> {
  const job = desk.jobs.open(
    { id: randomUUID(), vendor: 'huggingface', owner: callerOf(call), order, line, faults },
    order.invalid.length > 0 ? 'failed' : 'drawn',
  );
  return jsonAnswer(200, {
    status: 'IN_QUEUE',
    request_id: job.id,
    ...addresses(job.id),
    logs: null,
    metrics: {},
    queue_position: 0,
  });
}

function submit(desk: Desk, call: Call, subModel: string): Promise<Answer> {
  const model = `${APP}/${subModel}`;
  const counter: Counter<FalOrder> = {
    vendor: 'huggingface',
    bodyBytesMax: BODY_BYTES_MAX,
    refuse,
    moderated: null,
    servesAtOnce: false,
    admit: (_, slip) => {
      slip.model = model;
      callerOf(call);
      if (!SECONDS.has(subModel)) throw new Refusal(jsonAnswer(404, { detail: `Path /${subModel} not found` }));
      if (call.query.get('_subdomain') !== 'queue') {
        throw new Refusal(jsonAnswer(400, { error: 'sandbox: only the queue is served here; add ?_subdomain=queue' }));
      }
    },
    read: (_, body, slip) => {
      slip.prompt = String(jsonObject(body)?.prompt ?? '') || null;
      return read(model, body);
    },
    serve: (sale) => serve(desk, sale),
  };
  return takeOrder(desk, counter, call);
}

function isFalOrder(order: Order): order is FalOrder {
  return 'invalid' in order;
}

const NOT_FOUND = jsonAnswer(404, { detail: 'Request not found' });

/** The job that is asked about, or the answer that there is none. */
function jobOf(desk: Desk, call: Call, id: string): { job: Job; order: FalOrder } {
  const owner = callerOf(call);
  const job = desk.jobs.find('huggingface', id);
  if (!job || job.owner !== owner || !isFalOrder(job.order)) throw new Refusal(NOT_FOUND);
  return { job, order: job.order };
}

/** There is no status for failure: a request that failed is completed, and its result says why. */
const STATUS_OF: Record<Phase, string> = {
  queued: 'IN_QUEUE',
  drawing: 'IN_PROGRESS',
  done: 'COMPLETED',
  cancelled: 'COMPLETED',
};

function status(desk: Desk, call: Call, id: string): Promise<Answer> {
  const { job, order } = jobOf(desk, call, id);
  return strike(desk, job, 'poll', refuse, () => {
    const phase = desk.jobs.look(job);
    if (job.mask === 'gone') return NOT_FOUND;
    const shown = job.mask === 'unheard-of' ? 'PAUSED' : STATUS_OF[phase];
    return jsonAnswer(shown === 'COMPLETED' ? 200 : 202, {
      status: shown,
      request_id: id,
      ...addresses(id),
      logs: null,
      ...(phase === 'queued' ? { queue_position: 0 } : {}),
      metrics: phase === 'done' ? { inference_time: order.seconds * desk.latency } : {},
    });
  });
}

const FAILURES: Partial<Record<Fate, () => Answer>> = {
  failed: () => detail(422, 'no_media_generated', ['body'], 'The model did not generate the expected output.'),
  moderated: () =>
    detail(422, 'content_policy_violation', ['body', 'prompt'], 'The content was flagged by a content checker.'),
};

function invalidInput(problems: readonly Problem[]): Answer {
  const details = problems.map(({ field, problem }) => ({ loc: ['body', field], msg: problem, type: 'value_error' }));
  return jsonAnswer(422, { detail: details }, { 'x-fal-request-id': randomUUID() });
}

function finished(desk: Desk, job: Job, order: FalOrder): Answer {
  if (order.invalid.length > 0) return invalidInput(order.invalid);
  const failure = FAILURES[job.fate]?.();
  if (failure) return failure;
  const { width, height, seed, prompt } = order;
  return jsonAnswer(200, {
    images: [{ url: outputUrl(desk, job), width, height, content_type: CONTENT_TYPES[order.format] }],
    timings: { inference: order.seconds * desk.latency },
    seed,
    has_nsfw_concepts: [isFlagged(job.faults)],
    prompt,
  });
}

function result(desk: Desk, call: Call, id: string): Promise<Answer> {
  const { job, order } = jobOf(desk, call, id);
  return strike(desk, job, 'result', refuse, () => {
    if (job.mask === 'gone') return NOT_FOUND;
    if (job.phase === 'cancelled') return jsonAnswer(400, { detail: 'Request was cancelled' });
    return job.phase === 'done'
      ? finished(desk, job, order)
      : jsonAnswer(400, { detail: 'Request is still in progress' });
  });
}

function cancel(desk: Desk, call: Call, id: string): Answer {
  const job = desk.jobs.find('huggingface', id);
  if (!job || job.owner !== callerOf(call)) return jsonAnswer(404, { status: 'NOT_FOUND' });
  return desk.jobs.cancel(job)
    ? jsonAnswer(202, { status: 'CANCELLATION_REQUESTED' })
    : jsonAnswer(400, { status: 'ALREADY_COMPLETED' });
}

/** The queue of fal as it is reached through HuggingFace's router: submit, look, fetch, download. */
export function falRoutes(desk: Desk): readonly Route[] {
  const request = `^/fal-ai/${APP}/requests/([0-9a-f-]+)`;
  return [
    { method: 'GET', path: new RegExp(`${request}/status$`), handle: (call, [id = '']) => status(desk, call, id) },
    { method: 'GET', path: new RegExp(`${request}$`), handle: (call, [id = '']) => result(desk, call, id) },
    { method: 'PUT', path: new RegExp(`${request}/cancel$`), handle: (call, [id = '']) => cancel(desk, call, id) },
    {
      method: 'POST',
      path: new RegExp(`^/fal-ai/${APP}/([^/]+)$`),
      handle: (call, [subModel = '']) => submit(desk, call, subModel),
    },
  ];
}
