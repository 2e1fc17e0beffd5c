import { type Check, flag, forbidden, number, oneOf, oneOfWords, problemsIn, text, whole } from './checks.ts';
import { isFlagged, isWithheld } from './damage.ts';
import {
  type Answer,
  bearerOf,
  type Call,
  isObject,
  type JsonObject,
  jsonAnswer,
  jsonObject,
  Refusal,
  type Route,
} from './exchange.ts';
import { failure, invalid, refuse, SPECIAL_REFUSALS } from './gemini.errors.ts';
import { BODY_BYTES_MAX, type Sides } from './gemini.request.ts';
import type { Order } from './order.ts';
import { anySeed, type Counter, type Desk, drawOrder, type Sale, type Slip, takeOrder, takeTime } from './orders.ts';
import { CONTENT_TYPES } from './pictures.ts';

const SEED_MAX = 2_147_483_647;
/** How many pictures a request gets that does not say how many it wants. */
const PICTURES_USUAL = 4;

/** What `1K` means by ratio; `2K` is twice as wide and as high. */
const SIZES_1K: Readonly<Record<string, Sides>> = {
  '1:1': [1024, 1024],
  '3:4': [896, 1280],
  '4:3': [1280, 896],
  '9:16': [768, 1408],
  '16:9': [1408, 768],
};

interface Model {
  readonly seconds: number;
  readonly imageSizes: readonly string[];
}

const MODELS: ReadonlyMap<string, Model> = new Map([
  ['imagen-4.0-generate-001', { seconds: 8, imageSizes: ['1K', '2K'] }],
  ['imagen-4.0-fast-generate-001', { seconds: 4, imageSizes: ['1K'] }],
  ['imagen-4.0-ultra-generate-001', { seconds: 12, imageSizes: ['1K', '2K'] }],
]);

const OUTPUT_OPTIONS: Readonly<Record<string, Check>> = {
  mimeType: oneOf(CONTENT_TYPES.png, CONTENT_TYPES.jpeg),
  compressionQuality: whole(0, 100),
};

const ofObject: Check = (value) => (isObject(value) ? null : 'must be an object');

function parameterChecks({ imageSizes }: Model): Readonly<Record<string, Check>> {
  return {
    sampleCount: whole(1, 4),
    aspectRatio: oneOf(...Object.keys(SIZES_1K)),
    sampleImageSize: oneOf(...imageSizes),
    seed: whole(1, SEED_MAX),
    addWatermark: flag,
    enhancePrompt: flag,
    includeRaiReason: flag,
    includeSafetyAttributes: flag,
    language: text(1, 10),
    guidanceScale: number(0, 100),
    personGeneration: oneOfWords('dont_allow', 'allow_adult', 'allow_all'),
    safetySetting: oneOfWords('block_low_and_above', 'block_medium_and_above', 'block_only_high', 'block_none'),
    outputOptions: ofObject,
    negativePrompt: forbidden('is not supported by this model'),
    storageUri: forbidden('is not supported by this sandbox, which keeps no buckets'),
  };
}

interface ImagenOrder extends Order {
  readonly seed: number;
  readonly pictures: number;
  readonly withReason: boolean;
  readonly withSafety: boolean;
}

function admit(call: Call, slip: Slip, name: string): Model {
  slip.model = name;
  const token = bearerOf(call);
  if (token === null || token.includes('invalid')) throw new Refusal(refuse(401, null));
  const model = MODELS.get(name);
  if (model) return model;
  const message = `Publisher Model \`${call.path.slice(1).replace(/^[^/]+\/|:predict$/g, '')}\` was not found.`;
  throw new Refusal(failure(404, 'NOT_FOUND', message));
}

function promptOf(request: JsonObject): string {
  const { instances } = request;
  const only: unknown = Array.isArray(instances) && instances.length === 1 ? instances[0] : undefined;
  if (!isObject(only)) throw invalid('Exactly one instance is needed.');
  const [problem] = problemsIn(only, { prompt: text(1, 10_000) }, ['prompt']);
  if (problem) throw invalid(`Invalid value at 'instances[0].${problem.field}': ${problem.problem}.`);
  return String(only.prompt);
}

/** The parameters of a request, found to be in order. */
function parametersOf(request: JsonObject, model: Model): JsonObject {
  const { parameters = {} } = request;
  if (!isObject(parameters)) throw invalid("Invalid value at 'parameters'.");
  const options = isObject(parameters.outputOptions) ? parameters.outputOptions : {};
  const [problem] = [...problemsIn(parameters, parameterChecks(model)), ...problemsIn(options, OUTPUT_OPTIONS)];
  if (problem) throw invalid(`Invalid value at 'parameters.${problem.field}': ${problem.problem}.`);
  // A watermark is put in unless it is declined, and no two marked pictures are the same.
  if (parameters.seed !== undefined && parameters.addWatermark !== false) {
    throw invalid('Seed is not supported when watermark is enabled.');
  }
  return { ...parameters, mimeType: options.mimeType };
}

function read(name: string, model: Model, body: Buffer, slip: Slip): ImagenOrder {
  const request = jsonObject(body);
  if (!request) throw invalid('Invalid JSON payload received. Unexpected token.');
  const prompt = promptOf(request);
  slip.prompt = prompt;
  const parameters = parametersOf(request, model);
  const [width, height] = SIZES_1K[String(parameters.aspectRatio ?? '1:1')] ?? [1024, 1024];
  const scale = parameters.sampleImageSize === '2K' ? 2 : 1;
  return {
    model: name,
    prompt,
    width: width * scale,
    height: height * scale,
    seed: typeof parameters.seed === 'number' ? parameters.seed : anySeed(SEED_MAX),
    format: parameters.mimeType === CONTENT_TYPES.jpeg ? 'jpeg' : 'png',
    seconds: model.seconds,
    pictures: typeof parameters.sampleCount === 'number' ? parameters.sampleCount : PICTURES_USUAL,
    withReason: parameters.includeRaiReason === true,
    withSafety: parameters.includeSafetyAttributes === true,
  };
}

const FILTERED =
  "The generated image was filtered out because it goes against Vertex AI's usage guidelines. " +
  'Support codes: 58061214';

const SAFETY = { safetyAttributes: { categories: ['Violence'], scores: [0.1] } };

async function predictionsOf({ order, faults }: Sale<ImagenOrder>): Promise<readonly JsonObject[]> {
  const reason = order.withReason && isFlagged(faults) ? { raiFilteredReason: FILTERED } : {};
  // Without a reason, what was withheld leaves no trace at all.
  if (isWithheld(faults)) return order.withReason ? [reason] : [];
  const numbers = Array.from({ length: order.pictures }, (_, index) => index);
  const drawn = await Promise.all(
    numbers.map((index) => drawOrder({ ...order, seed: order.seed + index }, faults, null)),
  );
  const predictions = drawn.map((picture) => ({
    mimeType: CONTENT_TYPES[order.format],
    bytesBase64Encoded: picture.toString('base64'),
    ...reason,
    ...(order.withSafety && SAFETY),
  }));
  return order.withSafety ? [...predictions, { ...SAFETY, contentType: 'Positive Prompt' }] : predictions;
}

async function serve(desk: Desk, sale: Sale<ImagenOrder>): Promise<Answer> {
  await takeTime(desk, sale.order.seconds, sale.call.gone);
  const predictions = await predictionsOf(sale);
  return jsonAnswer(200, predictions.length > 0 ? { predictions } : {});
}

const moderated = () =>
  failure(
    400,
    'INVALID_ARGUMENT',
    "The prompt could not be submitted: it contains words that violate Vertex AI's usage guidelines. " +
      'Rephrase it and try again. Support codes: 39322892',
  );

function predict(desk: Desk, call: Call, name: string): Promise<Answer> {
  const counter: Counter<ImagenOrder> = {
    vendor: 'gemini',
    bodyBytesMax: BODY_BYTES_MAX,
    refuse,
    moderated,
    special: SPECIAL_REFUSALS,
    servesAtOnce: true,
    admit: (_, slip) => {
      admit(call, slip, name);
    },
    read: (_, body, slip) => read(name, admit(call, slip, name), body, slip),
    serve: (sale) => serve(desk, sale),
  };
  return takeOrder(desk, counter, call);
}

/** Imagen on Vertex AI, where it outlived the Developer API: an access token instead of a key, a project in the path. */
export function imagenRoutes(desk: Desk): readonly Route[] {
  return [
    {
      method: 'POST',
      path: /^\/v1(?:beta1)?\/projects\/[^/]+\/locations\/[^/]+\/publishers\/google\/models\/([^/:]+):predict$/,
      handle: (call, [name = '']) => predict(desk, call, name),
    },
  ];
}
