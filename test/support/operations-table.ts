import { EDIT_MODELS } from '../../src/catalog/edit-models.ts';
import { MODELS, type Model, routesOf } from '../../src/catalog/models.ts';
import { EDIT_KINDS, QUALITIES } from '../../src/catalog/operations.ts';
import type { Renders } from '../../src/catalog/renders.ts';
import { formatSize, GENERATE_PIXELS_MAX, pixelsOf } from '../../src/catalog/sizes.ts';
import type { SourceLimits } from '../../src/catalog/sources.ts';
import { UPSCALE_MODELS } from '../../src/catalog/upscale-models.ts';
import { GUIDE_PRICE_BOOK } from '../../src/pricing/guide-price-book.ts';
import { SOCIAL_FORMATS, SOCIAL_PLATFORMS } from '../../src/social/social-formats.ts';

/** The README's table of what can be done, by whom, on what and for how much: made from the catalog and the price book. */

interface Prices {
  readonly S?: number;
  readonly M?: number;
  readonly L?: number;
}

const inWords = (pixels: number) => pixels.toLocaleString('en');
const pricesOf = ({ S, M, L }: Prices) => [S, M, L].map((price) => price ?? '-').join(' · ');
const routeIds = (model: Model) =>
  routesOf(model)
    .map(({ id }) => `\`${id}\``)
    .join(', ');

function drawn(renders: Renders | null): string {
  if (renders === null) return '';
  if (renders.kind === 'free')
    return `draws sides of ${renders.sideMin} to ${renders.sideMax}, up to ${inWords(renders.pixelsMax)} pixels`;
  const largest = renders.sizes.toSorted((a, b) => pixelsOf(b) - pixelsOf(a))[0];
  const ratios = new Set(renders.sizes.map(({ aspectRatio }) => aspectRatio)).size;
  return `draws ${ratios} ratios, up to ${largest ? formatSize(largest) : 'nothing'}`;
}

function limitsOf({ sideMin, sideMax, pixelsMin, pixelsMax, ratioMax }: SourceLimits): string {
  const ratio = Number.isFinite(ratioMax) ? `, ratio up to ${ratioMax} to 1` : '';
  return `sides of ${sideMin} to ${inWords(sideMax)}, ${inWords(pixelsMin)} to ${inWords(pixelsMax)} pixels${ratio}`;
}

type Row = readonly [operation: string, route: string, limits: string, price: string];

function rows(): Row[] {
  const { generateByQuality, generateByModel, edit, upscale, optimize } = GUIDE_PRICE_BOOK;
  return [
    ...QUALITIES.map((quality): Row => {
      const count = MODELS.filter((model) => model.quality === quality && !model.retired).length;
      const limits = `results of up to ${inWords(GENERATE_PIXELS_MAX)} pixels`;
      return [`generate, ${quality}`, `any of ${count} models`, limits, pricesOf(generateByQuality[quality] ?? {})];
    }),
    ...MODELS.map(
      (model): Row => [
        `generate, \`${model.id}\``,
        `${routeIds(model)}${model.retired ? ' (Vertex AI only)' : ''}`,
        drawn(model.renders),
        pricesOf(generateByModel[model.id] ?? {}),
      ],
    ),
    ...EDIT_KINDS.flatMap((kind) =>
      EDIT_MODELS.filter((model) => model.kind === kind).map((model): Row => {
        const limits = [limitsOf(model.source), drawn(model.renders)].filter(Boolean).join('; ');
        return [`edit, ${kind}`, routeIds(model), limits, pricesOf(edit[kind] ?? {})];
      }),
    ),
    ...UPSCALE_MODELS.map(
      (model): Row => [
        `upscale, ${model.mode}`,
        routeIds(model),
        limitsOf(model.source),
        pricesOf(upscale[model.mode] ?? {}),
      ],
    ),
    [
      'optimize for social',
      'made by us',
      `${SOCIAL_FORMATS.length} formats of ${SOCIAL_PLATFORMS.length} networks, enlarged up to twice a side`,
      String(optimize ?? '-'),
    ],
  ];
}

export function operationsTable(): string {
  const head: Row = ['operation', 'routes', 'limits', 'credits an image, size S · M · L'];
  const rule = head.map(() => '---');
  return [head, rule, ...rows()].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
