import type { Asset } from '../assets/asset.ts';
import { type MaskSource, prepareMask, preparePicture } from '../assets/sent-pictures.ts';
import { EDIT_MODELS } from '../catalog/edit-models.ts';
import { type EditRequest, picturesOfEdit, wordsOfEdit } from '../catalog/edits.ts';
import type { GenerateRequest } from '../catalog/requests.ts';
import { STYLE_PRESETS, type StylePreset } from '../catalog/style-presets.ts';
import type { UpscaleRequest } from '../catalog/upscale-requests.ts';
import { type OperationRequest, seededFor } from '../estimates/job-request.ts';
import type { EditOrder, GenerateOrder, Order, UpscaleOrder } from '../providers/provider.ts';
import type { PlannedRoute } from '../routing/planned-route.ts';

/** The pictures of an image on their way out. */
export interface OrderPictures {
  /** What is worked on. */
  readonly source: Asset;
  read(asset: Asset): Promise<Buffer>;
  /** The asset of that id. @throws PictureError where it is gone. */
  find(id: string): Promise<Asset>;
}

/** What a route is asked to do for the image that is the `run`-th of its step. `pictures` is null for an image made from words. */
export async function orderFor(
  request: OperationRequest,
  run: number,
  planned: PlannedRoute,
  pictures: OrderPictures | null,
): Promise<Order> {
  const asked = seededFor(request, run);
  if (asked.operation === 'GENERATE') return generateOrder(asked, planned);
  if (asked.operation === 'OPTIMIZE' || pictures === null)
    throw new Error(`no vendor is asked for ${asked.operation} without a picture`);
  return asked.operation === 'EDIT' ? editOrder(asked, planned, pictures) : upscaleOrder(asked, planned, pictures);
}

function addressOf({ route: { host } }: PlannedRoute) {
  return { host: host.name, vendorModel: host.vendorModel };
}

function generateOrder(request: GenerateRequest, planned: PlannedRoute): GenerateOrder {
  const { prompt, negativePrompt, stylePreset, seed } = request;
  return {
    operation: 'GENERATE',
    ...addressOf(planned),
    negativePrompt,
    ...styled(prompt, stylePreset, planned),
    seed,
    render: planned.render,
  };
}

/** A style preset becomes words where the model has no field for it. */
function styled<Words extends string | null>(prompt: Words, stylePreset: StylePreset | null, { route }: PlannedRoute) {
  if (stylePreset === null || route.model.stylePresetField) return { prompt, stylePreset };
  const words = STYLE_PRESETS[stylePreset];
  return { prompt: prompt === null ? words : `${prompt}, ${words}`, stylePreset: null };
}

function preparationOf({ route, preparation }: PlannedRoute) {
  if (preparation === null) throw new Error(`${route.id} was planned without its picture`);
  return preparation;
}

async function upscaleOrder(
  request: UpscaleRequest,
  planned: PlannedRoute,
  { source, read }: OrderPictures,
): Promise<UpscaleOrder> {
  const { mode, words } = request;
  const how = { ...preparationOf(planned), opaque: false };
  return {
    operation: 'UPSCALE',
    ...addressOf(planned),
    mode,
    words,
    source: await preparePicture(() => read(source), source, how),
  };
}

/** Relighting sends up to three pictures in one body, so each has its part of what that may have. */
const REFERENCE_SHARE = 1 / 3;

async function editOrder(request: EditRequest, planned: PlannedRoute, pictures: OrderPictures): Promise<EditOrder> {
  const { edit, seed } = request;
  const preparation = preparationOf(planned);
  const { source, read } = pictures;
  const mask = await maskFor(request, planned, pictures);
  const { backgroundReference, lightReference } = picturesOfEdit(edit);
  const references = [backgroundReference, lightReference].filter((id) => id !== undefined).length;
  const share = references > 0 ? REFERENCE_SHARE : 1;
  const bytesMax = Math.floor(preparation.bytesMax * share) - (mask?.bytes.length ?? 0);
  const reference = async (id: string | undefined) => {
    if (id === undefined) return null;
    const asset = await pictures.find(id);
    const how = { canvas: null, reducedTo: null, sentAs: 'image/png', opaque: false, bytesMax } as const;
    return preparePicture(() => read(asset), asset, how);
  };
  return {
    operation: 'EDIT',
    ...addressOf(planned),
    edit,
    ...styled(wordsOfEdit(edit), 'stylePreset' in edit ? edit.stylePreset : null, planned),
    seed,
    source: await preparePicture(() => read(source), source, { ...preparation, opaque: mask !== null, bytesMax }),
    mask,
    backgroundReference: await reference(backgroundReference),
    lightReference: await reference(lightReference),
    render: planned.render,
  };
}

/** The mask of an edit that has one: a picture of its own, or what shows through the picture itself. */
async function maskFor({ edit }: EditRequest, { route }: PlannedRoute, pictures: OrderPictures) {
  if (edit.kind !== 'erase' && edit.kind !== 'inpaint') return null;
  const growsMask = EDIT_MODELS.find(({ id }) => id === route.model.id)?.growsMask ?? false;
  return prepareMask(await maskSource(edit.mask, pictures), growsMask ? 0 : edit.growMask);
}

async function maskSource(id: string | null, { source, read, find }: OrderPictures): Promise<MaskSource> {
  const { width, height } = source;
  if (id === null) return { read: () => read(source), byTransparency: true, width, height };
  const mask = await find(id);
  return { read: () => read(mask), byTransparency: mask.transparent === true, width, height };
}
