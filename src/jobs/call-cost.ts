import type { Route } from '../catalog/models.ts';
import type { Size } from '../catalog/sizes.ts';
import type { PriceBook } from '../pricing/price-book.ts';
import { vendorCostMicros } from '../pricing/prices.ts';
import { planRender } from '../routing/render-plan.ts';

/** What a vendor charges us for one picture, in millionths of a US dollar; null where the price book does not say. */
export function callCostMicros(book: PriceBook, route: Route | null, size: Size): bigint | null {
  const render = route && (renderOf(route, size) ?? { ...size, imageSize: null });
  const micros = route && render ? vendorCostMicros(book, route, render) : null;
  return micros === null ? null : BigInt(micros);
}

/** What is ordered for a picture of this size, where the model has sizes of its own. */
function renderOf({ model }: Route, size: Size) {
  return model.renders && planRender(model.renders, size)?.render;
}
