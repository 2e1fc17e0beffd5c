import { EDIT_MODELS } from './edit-models.ts';
import { MODELS, type Model, type Route, routesOf } from './models.ts';
import { UPSCALE_MODELS } from './upscale-models.ts';

/** Every model of every operation. No two share an id. */
export const ALL_MODELS: readonly Model[] = [...MODELS, ...EDIT_MODELS, ...UPSCALE_MODELS];

export const ROUTES: readonly Route[] = ALL_MODELS.flatMap(routesOf);

const byId = new Map(ROUTES.map((route) => [route.id, route]));

export function findRoute(id: string): Route | undefined {
  return byId.get(id);
}
