import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Problem, problemsIn } from './checks.ts';
import { type Answer, type Call, type JsonObject, jsonObject, Refusal, type Route } from './exchange.ts';
import { type Job, type Phase, strike } from './jobs.ts';
import { anySeed, type Counter, type Desk, type Sale, takeOrder, takeTime } from './orders.ts';
import { accountRoutes } from './wavespeed.account.ts';
import { BODY_BYTES_MAX, envelope, failure, ownerOf, refuse } from './wavespeed.envelope.ts';
import { MODELS, type Model, SEED_MAX } from './wavespeed.models.ts';
import { picturesOf } from './wavespeed.pictures.ts';
import { isWavespeedOrder, predictionOf, type WavespeedOrder } from './wavespeed.prediction.ts';

/** The address that the end of the job is to be announced at. */
function webhookOf(call: Call): URL | null {
  const given = call.query.get('webhook');
  if (given === null) return null;
  const url = URL.canParse(given) ? new URL(given) : null;
  if (url?.protocol === 'http:' || url?.protocol === 'https:') return url;
  throw new Refusal(failure(400, 'invalid webhook: an http or https URL is needed'));
}

function halfOfPair({ inPairs = [] }: Model, input: JsonObject): readonly Problem[] {
  const missing = inPairs.filter((field) => input[field] === undefined);
  const sent = inPairs.filter((field) => input[field] !== undefined);
  return missing.length === 1 ? missing.map((field) => ({ field, problem: `is required with "${sent}"` })) : [];
}

async function read(desk: Desk, modelId: string, model: Model, call: Call, body: Buffer): Promise<WavespeedOrder> {
  const input = jsonObject(body);
  if (!input) throw new Refusal(failure(400, 'invalid request body: a JSON object is needed'));
  const problems = [...problemsIn(input, model.checks, model.required), ...halfOfPair(model, input)];
  if (problems.length > 0) {
    throw new Refusal(failure(400, problems.map(({ field, problem }) => `property "${field}" ${problem}`).join('; ')));
  }
  const { seed } = input;
  const webhook = webhookOf(call);
  const { pictures, trouble } = await picturesOf(desk, model, input);
  const edit = model.edit(pictures);
  const { width, height } = model.size(input, pictures);
  return {
    model: modelId,
    prompt: String(input.prompt),
    width,
    height,
    seed: typeof seed === 'number' && seed >= 0 && model.checks.seed ? seed : anySeed(SEED_MAX),
    format: model.format(input),
    seconds: model.seconds,
    asBase64: input.enable_base64_output === true,
    waits: model.synchronousMode && input.enable_sync_mode === true,
    webhook,
    trouble,
    ...(edit && { edit }),
  };
}

/** How long a job takes that ends by itself where nothing takes any time. */
const NO_TIME_MS = 5;

/** Ends a job when its time has come, whether or not anybody looks. */
async function endInTime({ latency, jobs, closing }: Desk, job: Job): Promise<void> {
  const ms = latency > 0 ? job.order.seconds * 1000 * latency : NO_TIME_MS;
  try {
    await sleep(ms, undefined, { signal: closing });
  } catch {
    return;
  }
  jobs.finish(job);
}

/** Announces the end of a job as it is when it ends; a prediction that is forgotten afterwards was still announced. */
async function announce(desk: Desk, job: Job, order: WavespeedOrder): Promise<void> {
  const { webhook: to } = order;
  if (to === null) return;
  const { owner, id: jobId, faults, phase } = job;
  const prediction = await predictionOf(desk, job, order, phase);
  await desk.webhooks.announce({ to, owner, jobId, faults, prediction });
}

function openJob(desk: Desk, { order, call, line, faults }: Sale<WavespeedOrder>): Job {
  const id = randomBytes(16).toString('hex');
  const opened = { id, vendor: 'wavespeed', owner: ownerOf(call), order, line, faults } as const;
  const fate = order.trouble ? 'failed' : 'drawn';
  if (order.webhook === null) return desk.jobs.open(opened, fate);
  const job = desk.jobs.open({ ...opened, ended: () => void announce(desk, job, order) }, fate);
  void endInTime(desk, job);
  return job;
}

async function serve(desk: Desk, sale: Sale<WavespeedOrder>): Promise<Answer> {
  const { order, call } = sale;
  const job = openJob(desk, sale);
  if (!order.waits) return envelope(await predictionOf(desk, job, order, 'queued'));
  await takeTime(desk, order.seconds, call.gone);
  const phase = desk.jobs.finish(job);
  const late = { code: 5004, error: 'Sync mode timed out. Please get the result by polling.' };
  return envelope({ ...(await predictionOf(desk, job, order, phase)), ...(phase === 'done' ? {} : late) });
}

function submit(desk: Desk, call: Call, modelId: string): Promise<Answer> {
  const model = MODELS.get(modelId);
  const counter: Counter<WavespeedOrder> = {
    vendor: 'wavespeed',
    bodyBytesMax: BODY_BYTES_MAX,
    refuse,
    moderated: null,
    special: {
      'no-funds': () => failure(403, 'insufficient balance, please top up your account'),
    },
    servesAtOnce: false,
    admit: (_, slip) => {
      slip.model = modelId;
      ownerOf(call);
      if (!model) throw new Refusal(failure(404, `model not found: ${modelId}`));
    },
    read: (_, body, slip) => {
      slip.prompt = String(jsonObject(body)?.prompt ?? '') || null;
      if (!model) throw new Refusal(refuse(404, null));
      return read(desk, modelId, model, call, body);
    },
    serve: (sale) => serve(desk, sale),
  };
  return takeOrder(desk, counter, call);
}

async function poll(desk: Desk, call: Call, id: string): Promise<Answer> {
  const owner = ownerOf(call);
  const job = desk.jobs.find('wavespeed', id);
  const missing = failure(404, 'prediction not found');
  if (!job || job.owner !== owner || !isWavespeedOrder(job.order)) return missing;
  const { order } = job;
  return strike(desk, job, 'poll', refuse, async () => {
    const phase: Phase = desk.jobs.look(job);
    if (job.mask === 'gone') return missing;
    const shown = await predictionOf(desk, job, order, phase);
    return envelope(job.mask === 'unheard-of' ? { ...shown, status: 'paused' } : shown);
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

/** WaveSpeed: every answer in an envelope, every picture a prediction that is polled or announced. */
export function wavespeedRoutes(desk: Desk): readonly Route[] {
  return [
    ...accountRoutes(desk),
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
