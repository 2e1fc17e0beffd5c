import type { Host, Model } from './models.ts';
import type { EditKind } from './operations.ts';
import { geminiRenders, type Renders } from './renders.ts';
import type { SourceLimits } from './sources.ts';

/** A model that changes pictures, in one of the ways that there are. */
export interface EditModel extends Model {
  readonly kind: EditKind;
  readonly source: SourceLimits;
  /** What is made of the `growMask` of a request: the vendor grows the mask itself, or we do before it is sent. */
  readonly growsMask: boolean;
}

const MIB = 1024 * 1024;
const ANY_RATIO = Number.POSITIVE_INFINITY;

/** Stability, REST v2beta reference: limits of the pictures that edits take; the body has at most 10 MiB with all that is in it. */
export const STABILITY_BYTES_MAX = 9.5 * MIB;
const STABILITY_ANY_RATIO: SourceLimits = {
  sideMin: 64,
  sideMax: 16_384,
  pixelsMin: 4_096,
  pixelsMax: 9_437_184,
  ratioMax: ANY_RATIO,
  bytesMax: STABILITY_BYTES_MAX,
};
export const STABILITY_SOURCE: SourceLimits = { ...STABILITY_ANY_RATIO, ratioMax: 2.5 };
const STABILITY_CUTOUT: SourceLimits = { ...STABILITY_ANY_RATIO, pixelsMax: 4_194_304 };

interface Abilities {
  readonly negativePrompt?: boolean;
  readonly seedMax?: number | null;
  readonly stylePresetField?: boolean;
}

function stability(
  kind: EditKind,
  title: string,
  vendorModel: string,
  expectedSeconds: number,
  source: SourceLimits,
  { negativePrompt = false, seedMax = 4_294_967_294, stylePresetField = false }: Abilities,
): EditModel {
  return {
    id: `stability/${vendorModel}`,
    provider: 'stability',
    name: vendorModel,
    title: `Stable Image ${title}`,
    kind,
    source,
    renders: null,
    growsMask: true,
    seedMax,
    negativePrompt,
    stylePresetField,
    hosts: [{ name: 'stability', vendorModel, expectedSeconds }],
  };
}

/** Ideogram publishes no limits for the picture it inpaints; WaveSpeed takes 20 MB of each. */
const IDEOGRAM_SOURCE: SourceLimits = {
  sideMin: 64,
  sideMax: 4_096,
  pixelsMin: 4_096,
  pixelsMax: 9_437_184,
  ratioMax: 8,
  bytesMax: 14 * MIB,
};

function ideogram(name: string, title: string, expectedSeconds: number): EditModel {
  return {
    id: `wavespeed/${name}-inpaint`,
    provider: 'wavespeed',
    name: `${name}-inpaint`,
    title: `${title} Inpaint`,
    kind: 'inpaint',
    source: IDEOGRAM_SOURCE,
    renders: null,
    growsMask: false,
    seedMax: null,
    negativePrompt: false,
    stylePresetField: false,
    hosts: [{ name: 'wavespeed', vendorModel: `ideogram-ai/${name}`, expectedSeconds }],
  };
}

/** Models that are told in words what to change draw the whole picture anew, at a size of their own. */
const GENERAL_SOURCE: SourceLimits = {
  sideMin: 64,
  sideMax: 8_192,
  pixelsMin: 4_096,
  pixelsMax: 33_554_432,
  ratioMax: 8,
  bytesMax: 14 * MIB,
};

function general(
  id: `${Model['provider']}/${string}`,
  title: string,
  renders: Renders,
  seedMax: number | null,
  host: Host,
): EditModel {
  const [provider, name] = id.split('/') as [Model['provider'], string];
  return {
    id,
    provider,
    name,
    title,
    kind: 'general',
    source: GENERAL_SOURCE,
    renders,
    growsMask: false,
    seedMax,
    negativePrompt: false,
    stylePresetField: false,
    hosts: [host],
  };
}

/**
 * FLUX.1 Kontext answers at the one of its sizes whose ratio is nearest to that of the picture it was given, and cannot be
 * told which (Black Forest Labs, the sizes that the model was trained at).
 */
const KONTEXT_SIDES = [
  [1024, 1024],
  [1104, 944],
  [1184, 880],
  [1248, 832],
  [1328, 800],
  [1392, 752],
  [1456, 720],
  [1504, 688],
  [1568, 672],
] as const;
const KONTEXT_RENDERS: Renders = {
  kind: 'fixed',
  sizes: KONTEXT_SIDES.flatMap(([longer, shorter]) => [
    { aspectRatio: `${longer}:${shorter}`, width: longer, height: shorter },
    ...(longer === shorter ? [] : [{ aspectRatio: `${shorter}:${longer}`, width: shorter, height: longer }]),
  ]),
};

/** Every model that edits, best first within a kind where nothing else decides. */
export const EDIT_MODELS: readonly EditModel[] = [
  stability('removeBackground', 'Remove Background', 'remove-background', 5, STABILITY_CUTOUT, { seedMax: null }),
  stability('erase', 'Erase', 'erase', 6, STABILITY_ANY_RATIO, {}),
  stability('inpaint', 'Inpaint', 'inpaint', 8, STABILITY_ANY_RATIO, { negativePrompt: true, stylePresetField: true }),
  stability('outpaint', 'Outpaint', 'outpaint', 10, STABILITY_SOURCE, { stylePresetField: true }),
  stability('searchReplace', 'Search and Replace', 'search-and-replace', 10, STABILITY_SOURCE, {
    negativePrompt: true,
    stylePresetField: true,
  }),
  stability('searchRecolor', 'Search and Recolor', 'search-and-recolor', 10, STABILITY_SOURCE, {
    negativePrompt: true,
    stylePresetField: true,
  }),
  stability('relight', 'Replace Background and Relight', 'replace-background-and-relight', 30, STABILITY_SOURCE, {
    negativePrompt: true,
  }),
  ideogram('ideogram-v3-turbo', 'Ideogram V3 Turbo', 10),
  ideogram('ideogram-v3-balanced', 'Ideogram V3 Balanced', 15),
  general(
    'wavespeed/qwen-image-edit',
    'Qwen Image Edit',
    { kind: 'free', sideMin: 256, sideMax: 1_536, multipleOf: 1, pixelsMax: 2_359_296 },
    2_147_483_647,
    { name: 'wavespeed', vendorModel: 'wavespeed-ai/qwen-image/edit', expectedSeconds: 5 },
  ),
  general('huggingface/flux-kontext-dev', 'FLUX.1 Kontext Dev', KONTEXT_RENDERS, 2_147_483_647, {
    name: 'fal-ai',
    vendorModel: 'fal-ai/flux-kontext/dev',
    expectedSeconds: 10,
  }),
  general('gemini/nano-banana-edit', 'Gemini Nano Banana 2.1 Edit', geminiRenders(['1K', '2K', '4K']), 2_147_483_647, {
    name: 'gemini',
    vendorModel: 'gemini-nano-banana-2.1',
    expectedSeconds: 12,
  }),
];
