import { misdirected } from '../misdirected.ts';
import type { EditOrder, GenerateOrder, Order, SentPicture, UpscaleOrder } from '../provider.ts';

/** Ultra and Core have an endpoint each; every Stable Diffusion model shares one. */
const SHARED_ENDPOINT = 'sd3';
const OWN_ENDPOINTS: ReadonlySet<string> = new Set(['ultra', 'core']);

/** Where an order goes, behind `/v2beta/stable-image/`. */
export function endpointOf({ operation, vendorModel }: Order): string {
  if (operation !== 'GENERATE') return `${operation.toLowerCase()}/${vendorModel}`;
  return `generate/${OWN_ENDPOINTS.has(vendorModel) ? vendorModel : SHARED_ENDPOINT}`;
}

/** A field that is null is left out: the vendor's own default holds. */
type Fields = Readonly<Record<string, string | number | boolean | SentPicture | null>>;

/** What stands for our seed 0, because 0 asks for a random one here, just like leaving it out. */
const SEED_OF_ZERO = 4_294_967_294;

/** Everything that an order says, as the form that all endpoints take: text, and pictures as files. */
export function formOf(order: Order): FormData {
  const form = new FormData();
  const fields: Fields = { ...fieldsOf(order), output_format: 'png' };
  for (const [name, said] of Object.entries(fields)) {
    const value = name === 'seed' && said === 0 ? SEED_OF_ZERO : said;
    if (value === null) continue;
    if (typeof value === 'object') form.set(name, ...fileOf(name, value));
    else form.set(name, String(value));
  }
  return form;
}

function fileOf(name: string, { bytes, contentType }: SentPicture): [Blob, string] {
  return [new Blob([bytes], { type: contentType }), `${name}.${contentType.slice('image/'.length)}`];
}

function fieldsOf(order: Order): Fields {
  switch (order.operation) {
    case 'GENERATE':
      return fieldsOfGenerate(order);
    case 'EDIT':
      return fieldsOfEdit(order);
    case 'UPSCALE':
      return fieldsOfUpscale(order);
  }
}

/** The distilled models are guided differently: a negative prompt or a guidance scale is refused or ignored there. */
const DISTILLED = /-(?:turbo|flash)$/;

function fieldsOfGenerate({ vendorModel, prompt, negativePrompt, stylePreset, seed, render }: GenerateOrder): Fields {
  return {
    prompt,
    model: OWN_ENDPOINTS.has(vendorModel) ? null : vendorModel,
    negative_prompt: DISTILLED.test(vendorModel) ? null : negativePrompt,
    aspect_ratio: render.aspectRatio,
    style_preset: stylePreset,
    seed,
  };
}

function fieldsOfEdit(order: EditOrder): Fields {
  const { edit, source: image, mask, prompt, stylePreset: style_preset, seed } = order;
  switch (edit.kind) {
    case 'removeBackground':
      return { image };
    case 'erase':
      return { image, mask, grow_mask: edit.growMask, seed };
    case 'inpaint': {
      const { growMask: grow_mask, negativePrompt: negative_prompt } = edit;
      return { image, mask, grow_mask, prompt, negative_prompt, style_preset, seed };
    }
    case 'outpaint': {
      const { left, right, up, down, creativity } = edit;
      return { image, left, right, up, down, creativity, prompt, style_preset, seed };
    }
    case 'searchReplace': {
      const { searchPrompt: search_prompt, growMask: grow_mask, negativePrompt: negative_prompt } = edit;
      return { image, search_prompt, prompt, grow_mask, negative_prompt, style_preset, seed };
    }
    case 'searchRecolor': {
      const { selectPrompt: select_prompt, growMask: grow_mask, negativePrompt: negative_prompt } = edit;
      return { image, select_prompt, prompt, grow_mask, negative_prompt, style_preset, seed };
    }
    case 'relight':
      return {
        subject_image: image,
        background_prompt: edit.backgroundPrompt,
        background_reference: order.backgroundReference,
        foreground_prompt: edit.foregroundPrompt,
        negative_prompt: edit.negativePrompt,
        preserve_original_subject: edit.preserveOriginalSubject,
        original_background_depth: edit.originalBackgroundDepth,
        keep_original_background: edit.keepOriginalBackground,
        light_source_direction: edit.lightSourceDirection?.toLowerCase() ?? null,
        light_reference: order.lightReference,
        light_source_strength: edit.lightSourceStrength,
        seed,
      };
    case 'general':
      throw misdirected(order);
  }
}

function fieldsOfUpscale({ source: image, words }: UpscaleOrder): Fields {
  if (words === null) return { image };
  const { prompt, negativePrompt: negative_prompt, creativity, stylePreset: style_preset, seed } = words;
  return { image, prompt, negative_prompt, creativity, style_preset, seed };
}
