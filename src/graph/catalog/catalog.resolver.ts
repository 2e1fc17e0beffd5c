import { Arg, Ctx, Query, Resolver } from 'type-graphql';
import {
  type GenerateModel,
  MODELS,
  PROVIDER_NAMES,
  PROVIDER_TITLES,
  type ProviderName,
  type Route,
  routesOf,
} from '../../catalog/models.ts';
import { ROUTES } from '../../catalog/routes.ts';
import { TEMPLATES } from '../../catalog/templates.ts';
import type { PriceBook } from '../../pricing/price-book.ts';
import type { PriceBooks } from '../../pricing/price-books.service.ts';
import type { RouteHealth } from '../../routing/health.ts';
import { ANY_SCOPE, type GraphContext, viewerOf } from '../context.ts';
import { toSizePrices } from '../price-book/price-book.type.ts';
import { ModelFilterInput, ModelInfo, ProviderInfo, TemplateFilterInput, TemplateInfo } from './catalog.type.ts';

export type ProviderModes = Readonly<Record<ProviderName, 'LIVE' | 'SANDBOX' | 'OFF'>>;

@Resolver()
export class CatalogResolver {
  constructor(
    private readonly priceBooks: PriceBooks,
    private readonly health: RouteHealth,
    private readonly modes: ProviderModes,
    private readonly serves: (route: Route) => boolean,
  ) {}

  @Query(() => [ProviderInfo], { description: 'The vendors: how each is reached and how it has been doing.' })
  providers(@Ctx() context: GraphContext): ProviderInfo[] {
    viewerOf(context, ANY_SCOPE);
    return PROVIDER_NAMES.map((name) => ({
      name,
      title: PROVIDER_TITLES[name],
      mode: this.modes[name],
      routes: ROUTES.filter((route) => route.model.provider === name && this.serves(route)).map((route) => {
        const health = this.health.of(route);
        return { id: route.id, ...health, expectedSeconds: health.seconds ?? route.host.expectedSeconds };
      }),
    }));
  }

  @Query(() => [ModelInfo], { description: 'The models that can be named, with their prices. At most a few dozen.' })
  models(
    @Ctx() context: GraphContext,
    @Arg('filter', () => ModelFilterInput, {
      nullable: true,
      description: 'Which models; all that live when left out.',
    })
    filter: ModelFilterInput | null,
  ): ModelInfo[] {
    viewerOf(context, ANY_SCOPE);
    const book = this.priceBooks.current();
    return MODELS.filter(
      (model) =>
        (filter?.includeRetired || !this.#isRetired(model)) &&
        (!filter?.provider || model.provider === filter.provider) &&
        (!filter?.quality || model.quality === filter.quality),
    ).map((model) => toModelInfo(model, book, this.#isRetired(model)));
  }

  /** What its vendor has shut down, unless this gateway is set up to reach it where it lives on. */
  #isRetired(model: GenerateModel): boolean {
    return model.retired !== undefined && !routesOf(model).some(this.serves);
  }

  @Query(() => [TemplateInfo], { description: 'The templates. At most a few dozen.' })
  templates(
    @Ctx() context: GraphContext,
    @Arg('filter', () => TemplateFilterInput, { nullable: true, description: 'Which templates; all when left out.' })
    filter: TemplateFilterInput | null,
  ): TemplateInfo[] {
    viewerOf(context, ANY_SCOPE);
    const words = filter?.search?.trim().toLowerCase() ?? '';
    return TEMPLATES.filter(
      (template) =>
        (!filter?.category || template.category === filter.category) &&
        (!filter?.platform || template.platform === filter.platform) &&
        [template.name, ...template.useCases].some((text) => text.toLowerCase().includes(words)),
    );
  }
}

function toModelInfo(model: GenerateModel, book: PriceBook, isRetired: boolean): ModelInfo {
  return {
    id: model.id,
    provider: model.provider,
    title: model.title,
    quality: model.quality,
    prices: toSizePrices(book.table.generateByModel[model.id] ?? {}),
    seed: model.seedMax !== null,
    negativePrompt: model.negativePrompt,
    stylePresetField: model.stylePresetField,
    hosts: model.hosts.map(({ name }) => name),
    expectedSeconds: Math.min(...model.hosts.map(({ expectedSeconds }) => expectedSeconds)),
    retiredSince: (isRetired && model.retired?.since) || null,
    replacedBy: (isRetired && model.retired?.replacedBy) || null,
  };
}
