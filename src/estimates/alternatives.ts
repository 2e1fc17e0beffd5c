import type { Edit, EditRequest } from '../catalog/edits.ts';
import { UPSCALE_MODES } from '../catalog/operations.ts';
import type { Source } from '../catalog/sources.ts';
import { canonicalUpscale, type UpscaleRequest } from '../catalog/upscale-requests.ts';
import { formatCredits } from '../pricing/prices.ts';
import type { Alternative } from './estimate.ts';
import { cheaperGenerate } from './generate-estimate.ts';
import type { OperationRequest } from './job-request.ts';
import type { PricedRuns, PricingFacts } from './priced-runs.ts';
import { priceEdit, priceUpscale } from './source-estimate.ts';

/** Ways to much the same picture for less, best first. */
export function cheaperThan(
  request: OperationRequest,
  source: Source | null,
  credits: bigint,
  facts: PricingFacts,
): readonly Alternative[] {
  switch (request.operation) {
    case 'GENERATE':
      return cheaperGenerate(request, credits, facts);
    case 'EDIT':
      return cheaperEdit(request, source, credits, facts);
    case 'UPSCALE':
      return cheaperUpscale(request, source, credits, facts);
    case 'OPTIMIZE':
      return [];
  }
}

/** The model that is told in words can do what some special edits do. */
function cheaperEdit(request: EditRequest, source: Source | null, credits: bigint, facts: PricingFacts): Alternative[] {
  const prompt = inWords(request.edit);
  if (prompt === null) return [];
  const priced = priceEdit({ ...request, edit: { kind: 'general', prompt } }, { source, mask: null }, facts);
  const what = `general edit, told "${prompt}": redraws the whole picture`;
  return alternative(what, priced, credits, { edit: 'general' });
}

function inWords(edit: Edit): string | null {
  switch (edit.kind) {
    case 'searchReplace':
      return `Replace ${edit.searchPrompt} with ${edit.prompt}`;
    case 'searchRecolor':
      return `Recolor ${edit.selectPrompt}: ${edit.prompt}`;
    case 'relight':
      return edit.backgroundReference === null && edit.lightReference === null && edit.backgroundPrompt !== null
        ? `Replace the background with ${edit.backgroundPrompt} and light the subject to match`
        : null;
    default:
      return null;
  }
}

function cheaperUpscale(
  request: UpscaleRequest,
  source: Source | null,
  credits: bigint,
  facts: PricingFacts,
): Alternative[] {
  const { image, preset, outputFormat } = request;
  return UPSCALE_MODES.filter((mode) => mode !== request.mode)
    .flatMap((mode) => {
      const variant = canonicalUpscale(image, { mode, preset: preset ?? undefined, outputFormat });
      return alternative(`${mode} upscaling`, priceUpscale(variant, source, facts), credits, { mode });
    })
    .sort((a, b) => Number(b.saves - a.saves));
}

function alternative(
  what: string,
  priced: PricedRuns,
  than: bigint,
  named: Partial<Pick<Alternative, 'edit' | 'mode'>>,
): Alternative[] {
  const { credits, refusals, routes } = priced;
  const [route] = routes;
  if (credits === null || refusals.length > 0 || !route || credits >= than) return [];
  const saves = than - credits;
  return [
    {
      description: `${what}: ${formatCredits(credits)} credits, saves ${formatCredits(saves)}`,
      quality: null,
      model: null,
      edit: null,
      mode: null,
      ...named,
      credits,
      saves,
      expectedSeconds: route.expectedSeconds,
    },
  ];
}
