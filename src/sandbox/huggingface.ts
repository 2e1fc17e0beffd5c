import { randomUUID } from 'node:crypto';
import { type Check, number, problemsIn, text, whole } from './checks.ts';
import {
  type Answer,
  bytesAnswer,
  type Call,
  isObject,
  jsonAnswer,
  jsonObject,
  Refusal,
  type Route,
} from './exchange.ts';
import { FAL_MODELS } from './huggingface.fal.models.ts';
import { falRoutes } from './huggingface.fal.ts';
import { callerOf, inFluxBlocks, loading, refuseAsRouter } from './huggingface.router.ts';
import type { Order } from './order.ts';
import { anySeed, type Counter, type Desk, drawOrder, type Sale, takeOrder, takeTime } from './orders.ts';
import { CONTENT_TYPES } from './pictures.ts';

const BODY_BYTES_MAX = 10 * 1024 * 1024;
const SEED_MAX = 2_147_483_647;

const LIVE = new Set(['black-forest-labs/FLUX.1-schnell']);
const DEPRECATED = new Set(['stabilityai/stable-diffusion-xl-base-1.0']);
const SECONDS = 5;
const DEFAULT_SIDE = 1024;

const PARAMETERS: Readonly<Record<string, Check>> = {
  width: whole(64, 2048),
  height: whole(64, 2048),
  guidance_scale: number(0, 100),
  num_inference_steps: whole(1, 50),
  negative_prompt: text(0, 10_000),
  scheduler: text(1, 100),
  seed: whole(0, Number.MAX_SAFE_INTEGER),
};

function admit(call: Call, model: string): void {
  callerOf(call);
  if (DEPRECATED.has(model)) throw new Refusal(refuseAsRouter(410, null));
  if (!LIVE.has(model)) {
    throw new Refusal(jsonAnswer(400, { error: 'Model not supported by provider hf-inference' }));
  }
}

function read(model: string, body: Buffer): Order {
  const request = jsonObject(body);
  const parameters = request?.parameters ?? {};
  if (!request || !isObject(parameters)) throw new Refusal(jsonAnswer(400, { error: ['`inputs`: field required'] }));
  const problems = [
    ...problemsIn(request, { inputs: text(1, 10_000) }, ['inputs']),
    ...problemsIn(parameters, PARAMETERS),
  ];
  if (problems.length > 0) {
    const error = problems.map(({ field, problem }) => `\`${field}\`: ${problem}`);
    throw new Refusal(jsonAnswer(400, { error }));
  }
  const side = (value: unknown) => inFluxBlocks(typeof value === 'number' ? value : DEFAULT_SIDE);
  return {
    model,
    prompt: String(request.inputs),
    width: side(parameters.width),
    height: side(parameters.height),
    seed: typeof parameters.seed === 'number' ? parameters.seed : anySeed(SEED_MAX),
    format: 'jpeg',
    seconds: SECONDS,
  };
}

async function serve(desk: Desk, { order, call, line, faults }: Sale<Order>): Promise<Answer> {
  await takeTime(desk, order.seconds, call.gone);
  const requestId = randomUUID();
  line.amend({ vendorId: requestId });
  // Nothing in the answer says that a picture was withheld: it is simply black.
  return bytesAnswer(CONTENT_TYPES[order.format], await drawOrder(order, faults, 'black'), {
    'x-request-id': requestId,
  });
}

function infer(desk: Desk, call: Call, model: string): Promise<Answer> {
  const counter: Counter<Order> = {
    vendor: 'huggingface',
    bodyBytesMax: BODY_BYTES_MAX,
    refuse: refuseAsRouter,
    // This service has no moderation that anybody has described, so the sandbox does not invent its words.
    moderated: () => jsonAnswer(400, { error: 'sandbox: hf-inference is not known to moderate before it draws' }),
    special: { loading: ({ value }) => loading(value ?? 0) },
    servesAtOnce: true,
    admit: (_, slip) => {
      slip.model = model;
      admit(call, model);
    },
    read: (_, body, slip) => {
      slip.prompt = String(jsonObject(body)?.inputs ?? '') || null;
      return read(model, body);
    },
    serve: (sale) => serve(desk, sale),
  };
  return takeOrder(desk, counter, call);
}

/** Which provider serves a model under which name, as the hub tells its clients before they turn to the router. */
const PROVIDERS: ReadonlyMap<string, Readonly<Record<string, string>>> = new Map<string, Record<string, string>>([
  [
    'black-forest-labs/FLUX.1-schnell',
    { 'hf-inference': 'black-forest-labs/FLUX.1-schnell', 'fal-ai': 'fal-ai/flux/schnell' },
  ],
  ['black-forest-labs/FLUX.1-dev', { 'fal-ai': 'fal-ai/flux/dev' }],
  ['black-forest-labs/FLUX.1-Krea-dev', { 'fal-ai': 'fal-ai/flux/krea' }],
  ['black-forest-labs/FLUX.1-Kontext-dev', { 'fal-ai': 'fal-ai/flux-kontext/dev' }],
]);

function mapping(model: string): Answer {
  const providers = PROVIDERS.get(model);
  if (!providers) return jsonAnswer(404, { error: 'Repository not found' });
  const entries = Object.entries(providers).map(([name, providerId]) => [
    name,
    { status: 'live', providerId, task: FAL_MODELS.get(providerId)?.editsPicture ? 'image-to-image' : 'text-to-image' },
  ]);
  return jsonAnswer(200, { id: model, inferenceProviderMapping: Object.fromEntries(entries) });
}

/** HuggingFace's router: its own inference service, which answers with bytes, and the queue of fal behind it. */
export function huggingfaceRoutes(desk: Desk): readonly Route[] {
  return [
    {
      method: 'POST',
      path: /^\/hf-inference\/models\/([^/]+\/[^/]+)$/,
      handle: (call, [model = '']) => infer(desk, call, model),
    },
    { method: 'GET', path: /^\/api\/models\/([^/]+\/[^/]+)$/, handle: (_, [model = '']) => mapping(model) },
    ...falRoutes(desk),
  ];
}
