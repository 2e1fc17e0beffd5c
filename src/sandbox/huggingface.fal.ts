import { randomUUID } from 'node:crypto';
import { type Problem, problemsIn } from './checks.ts';
import { isFlagged, type Refuse } from './damage.ts';
import { type Answer, type Call, type JsonObject, jsonAnswer, jsonObject, Refusal, type Route } from './exchange.ts';
import { FAL_MODELS, type FalModel, SEED_MAX } from './huggingface.fal.models.ts';
import { callerOf, refuseAsRouter } from './huggingface.router.ts';
import { type Fate, type Job, type Phase, strike } from './jobs.ts';
import type { Order } from './order.ts';
import { anySeed, type Counter, type Desk, type Sale, takeOrder } from './orders.ts';
import { outputUrl, ownOutput } from './outputs.ts';
import { CONTENT_TYPES } from './pictures.ts';
import { fromBase64, type SentPicture, sentPicture } from './sent.ts';

/** Clients send a picture twice, under the two names that fal's models have for it, and a third larger in base64. */
const BODY_BYTES_MAX = 64 * 1024 * 1024;

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

const READABLE = 'must lead to a whole picture in one of the formats png, jpeg, webp';

/** The picture that a model is to work on; null where it cannot be had. Nothing is fetched but what was drawn here. */
async function pictureOf(desk: Desk, { image_url: address }: JsonObject): Promise<SentPicture | null> {
  if (typeof address !== 'string') return null;
  const bytes = address.startsWith('data:') ? fromBase64(address) : await ownOutput(desk, address);
  return bytes && sentPicture(bytes);
}

/**
 * The queue takes anything that is JSON: what is wrong with the input only shows when the result is fetched, because
 * the model that checks it runs behind the queue.
 */
async function read(desk: Desk, name: string, model: FalModel, body: Buffer): Promise<FalOrder> {
  const input = jsonObject(body);
  if (!input) throw new Refusal(detail(422, 'json_invalid', ['body'], 'JSON decode error'));
  const { seed, prompt } = input;
  const picture = model.editsPicture ? await pictureOf(desk, input) : null;
  const problems = problemsIn(input, model.checks, model.required);
  const unread = model.editsPicture && !picture && problems.every(({ field }) => field !== 'image_url');
  const { width, height } = model.size(input, picture);
  return {
    model: name,
    prompt: typeof prompt === 'string' ? prompt : '',
    width,
    height,
    seed: typeof seed === 'number' && Number.isInteger(seed) ? seed : anySeed(SEED_MAX),
    format: input.output_format === 'png' ? 'png' : 'jpeg',
    seconds: model.seconds,
    ...(picture && { edit: { kind: 'general', image: picture } }),
    invalid: unread ? [...problems, { field: 'image_url', problem: READABLE }] : problems,
  };
}

const appOf = ({ model }: Order) => FAL_MODELS.get(model)?.app;

/** Addresses that name another host than the router, and the app without its sub-model. */
function addresses(order: Order, id: string): Record<string, string> {
  const responseUrl = `https://queue.fal.run/${appOf(order)}/requests/${id}`;
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
    ...addresses(order, job.id),
    logs: null,
    metrics: {},
    queue_position: 0,
  });
}

function submit(desk: Desk, call: Call, name: string): Promise<Answer> {
  const model = FAL_MODELS.get(name);
  const unknown = () => new Refusal(jsonAnswer(404, { detail: `Path /${name.split('/').at(-1)} not found` }));
  const counter: Counter<FalOrder> = {
    vendor: 'huggingface',
    bodyBytesMax: BODY_BYTES_MAX,
    refuse,
    moderated: null,
    servesAtOnce: false,
    admit: (_, slip) => {
      slip.model = name;
      callerOf(call);
      if (!model) throw unknown();
      if (call.query.get('_subdomain') !== 'queue') {
        throw new Refusal(jsonAnswer(400, { error: 'sandbox: only the queue is served here; add ?_subdomain=queue' }));
      }
    },
    read: (_, body, slip) => {
      slip.prompt = String(jsonObject(body)?.prompt ?? '') || null;
      if (!model) throw unknown();
      return read(desk, name, model, body);
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
function jobOf(desk: Desk, call: Call, app: string, id: string): { job: Job; order: FalOrder } {
  const owner = callerOf(call);
  const job = desk.jobs.find('huggingface', id);
  if (!job || job.owner !== owner || !isFalOrder(job.order) || appOf(job.order) !== app) throw new Refusal(NOT_FOUND);
  return { job, order: job.order };
}

/** There is no status for failure: a request that failed is completed, and its result says why. */
const STATUS_OF: Record<Phase, string> = {
  queued: 'IN_QUEUE',
  drawing: 'IN_PROGRESS',
  done: 'COMPLETED',
  cancelled: 'COMPLETED',
};

function status(desk: Desk, call: Call, app: string, id: string): Promise<Answer> {
  const { job, order } = jobOf(desk, call, app, id);
  return strike(desk, job, 'poll', refuse, () => {
    const phase = desk.jobs.look(job);
    if (job.mask === 'gone') return NOT_FOUND;
    const shown = job.mask === 'unheard-of' ? 'PAUSED' : STATUS_OF[phase];
    return jsonAnswer(shown === 'COMPLETED' ? 200 : 202, {
      status: shown,
      request_id: id,
      ...addresses(order, id),
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

function result(desk: Desk, call: Call, app: string, id: string): Promise<Answer> {
  const { job, order } = jobOf(desk, call, app, id);
  return strike(desk, job, 'result', refuse, () => {
    if (job.mask === 'gone') return NOT_FOUND;
    if (job.phase === 'cancelled') return jsonAnswer(400, { detail: 'Request was cancelled' });
    return job.phase === 'done'
      ? finished(desk, job, order)
      : jsonAnswer(400, { detail: 'Request is still in progress' });
  });
}

function cancel(desk: Desk, call: Call, app: string, id: string): Answer {
  const job = desk.jobs.find('huggingface', id);
  if (!job || job.owner !== callerOf(call) || appOf(job.order) !== app) return jsonAnswer(404, { status: 'NOT_FOUND' });
  return desk.jobs.cancel(job)
    ? jsonAnswer(202, { status: 'CANCELLATION_REQUESTED' })
    : jsonAnswer(400, { status: 'ALREADY_COMPLETED' });
}

/** The queue of fal as it is reached through HuggingFace's router: submit, look, fetch, download. */
export function falRoutes(desk: Desk): readonly Route[] {
  const app = '^/fal-ai/(fal-ai/[^/]+)';
  const request = `${app}/requests/([0-9a-f-]+)`;
  const about =
    (answer: (desk: Desk, call: Call, app: string, id: string) => Promise<Answer> | Answer): Route['handle'] =>
    (call, [name = '', id = '']) =>
      answer(desk, call, name, id);
  return [
    { method: 'GET', path: new RegExp(`${request}/status$`), handle: about(status) },
    { method: 'GET', path: new RegExp(`${request}$`), handle: about(result) },
    { method: 'PUT', path: new RegExp(`${request}/cancel$`), handle: about(cancel) },
    {
      method: 'POST',
      path: new RegExp(`${app}/([^/]+)$`),
      handle: (call, [name = '', subModel = '']) => submit(desk, call, `${name}/${subModel}`),
    },
  ];
}
