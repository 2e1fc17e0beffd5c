import { randomBytes } from 'node:crypto';
import { isFlagged, isWithheld } from './damage.ts';
import { type Answer, type Call, type JsonObject, jsonAnswer, Refusal, type Route } from './exchange.ts';
import { pictureOf } from './gallery.ts';
import { failure, refuse, SPECIAL_REFUSALS } from './gemini.errors.ts';
import { BODY_BYTES_MAX, checkKey, type GeminiOrder, MODELS, readRequest } from './gemini.request.ts';
import { type Counter, type Desk, drawOrder, type Sale, takeOrder, takeTime } from './orders.ts';

const newId = () => randomBytes(15).toString('base64url');

const SAFETY_RATINGS = ['SEXUALLY_EXPLICIT', 'HATE_SPEECH', 'HARASSMENT', 'DANGEROUS_CONTENT'].map((name) => ({
  category: `HARM_CATEGORY_${name}`,
  probability: 'NEGLIGIBLE',
}));

const CHARACTERS_PER_TOKEN = 4;
const tokensOf = (words: string) => Math.ceil(words.length / CHARACTERS_PER_TOKEN);

interface Used {
  readonly words: number;
  readonly image: number;
  readonly thoughts: number;
}

/** What a picture that is sent along counts for, whatever its size. */
const TOKENS_PER_PICTURE = 258;

function usage({ prompt, sent }: GeminiOrder, { words, image, thoughts }: Used): JsonObject {
  const promptDetails = [
    { modality: 'TEXT', tokenCount: tokensOf(prompt) },
    ...(sent > 0 ? [{ modality: 'IMAGE', tokenCount: sent * TOKENS_PER_PICTURE }] : []),
  ];
  const promptTokenCount = promptDetails.reduce((sum, { tokenCount }) => sum + tokenCount, 0);
  const details = [
    ...(words > 0 ? [{ modality: 'TEXT', tokenCount: words }] : []),
    ...(image > 0 ? [{ modality: 'IMAGE', tokenCount: image }] : []),
  ];
  return {
    promptTokenCount,
    candidatesTokenCount: words + image,
    thoughtsTokenCount: thoughts,
    totalTokenCount: promptTokenCount + words + image + thoughts,
    promptTokensDetails: promptDetails,
    candidatesTokensDetails: details,
  };
}

function response(model: string, responseId: string, rest: JsonObject): Answer {
  return jsonAnswer(200, { ...rest, modelVersion: model, responseId });
}

const INTRODUCTION = 'Here is the picture that you asked for.';
const THOUGHT_TOKENS = 258;

/** A sketch of half the size from another seed: whoever takes it for the picture has the wrong picture. */
function drawDraft({ width, height, ...order }: GeminiOrder): Promise<Buffer> {
  const seed = order.seed + 1;
  return pictureOf({
    ...order,
    seed,
    width: Math.floor(width / 2),
    height: Math.floor(height / 2),
    caption: 'DRAFT',
  });
}

const inlinePng = (picture: Buffer) => ({ mimeType: 'image/png', data: picture.toString('base64') });

const hasDrafts = ({ order, faults }: Sale<GeminiOrder>) =>
  order.drafts || faults.some(({ name }) => name === 'drafts');

async function partsOf(sale: Sale<GeminiOrder>): Promise<readonly JsonObject[]> {
  const { order, faults } = sale;
  const thoughts = hasDrafts(sale)
    ? [
        { text: 'Composing the scene.', thought: true },
        { inlineData: inlinePng(await drawDraft(order)), thought: true },
      ]
    : [];
  const words = order.withWords ? [{ text: INTRODUCTION }] : [];
  // What moderation keeps back is left out altogether, so nothing is drawn for it here.
  const picture = inlinePng(await drawOrder(order, faults, null));
  return [...thoughts, ...words, { inlineData: picture, thoughtSignature: newId() }];
}

const UNFIT =
  "Unable to show the generated image. The image was filtered out because it violated Google's " +
  'Responsible AI practices. Support code: 42876398';

async function serve(desk: Desk, sale: Sale<GeminiOrder>): Promise<Answer> {
  const { order, call, line, faults } = sale;
  await takeTime(desk, order.seconds, call.gone);
  const responseId = newId();
  line.amend({ vendorId: responseId });
  const words = order.withWords ? tokensOf(INTRODUCTION) : 0;
  const thoughts = hasDrafts(sale) ? THOUGHT_TOKENS : 0;
  const usageMetadata = usage(order, { words, image: order.tokens, thoughts });
  const unfit = { finishReason: 'IMAGE_SAFETY', finishMessage: UNFIT, index: 0 };
  if (isWithheld(faults)) return response(order.model, responseId, { candidates: [unfit], usageMetadata });
  const content = { role: 'model', parts: await partsOf(sale) };
  const stopped = { finishReason: 'STOP', index: 0, safetyRatings: SAFETY_RATINGS };
  const candidates = [{ content, ...(isFlagged(faults) ? unfit : stopped) }];
  return response(order.model, responseId, { candidates, usageMetadata });
}

/** A model that talks instead of drawing says so nowhere but in what it sends: a success with words alone. */
function prose({ order, line }: Sale<GeminiOrder>): Answer {
  const text = 'I am not able to draw this picture, but I can describe it for you.';
  const responseId = newId();
  line.amend({ vendorId: responseId });
  const content = { role: 'model', parts: [{ text }] };
  return response(order.model, responseId, {
    candidates: [{ content, finishReason: 'STOP', index: 0, safetyRatings: SAFETY_RATINGS }],
    usageMetadata: usage(order, { words: tokensOf(text), image: 0, thoughts: 0 }),
  });
}

/** A prompt that is blocked is answered with success and without candidates. */
function moderated(model: string): Answer {
  return response(model, newId(), {
    promptFeedback: { blockReason: 'PROHIBITED_CONTENT', safetyRatings: SAFETY_RATINGS },
    usageMetadata: { promptTokenCount: 8, totalTokenCount: 8 },
  });
}

function unknownModel(name: string, method: string): Refusal {
  const message =
    `models/${name} is not found for API version v1beta, or is not supported for ${method}. ` +
    'Call ListModels to see the list of available models and their supported methods.';
  return new Refusal(failure(404, 'NOT_FOUND', message));
}

function generate(desk: Desk, call: Call, name: string, method: string): Promise<Answer> {
  const model = method === 'generateContent' ? MODELS.get(name) : undefined;
  const counter: Counter<GeminiOrder> = {
    vendor: 'gemini',
    bodyBytesMax: BODY_BYTES_MAX,
    refuse,
    moderated: () => moderated(name),
    special: SPECIAL_REFUSALS,
    servesAtOnce: true,
    admit: (_, slip) => {
      slip.model = name;
      checkKey(call);
      if (!model) throw unknownModel(name, method);
    },
    read: (_, body, slip) => {
      if (!model) throw unknownModel(name, method);
      return readRequest(name, model, body, slip);
    },
    serve: (sale) => serve(desk, sale),
    prose,
  };
  return takeOrder(desk, counter, call);
}

/** Gemini: synchronous, JSON in, base64 among other parts out; retired models, Imagen among them, are not found. */
export function geminiRoutes(desk: Desk): readonly Route[] {
  return [
    {
      method: 'POST',
      path: /^\/v1beta\/models\/([^/:]+):(generateContent|predict)$/,
      handle: (call, [name = '', method = '']) => generate(desk, call, name, method),
    },
  ];
}
