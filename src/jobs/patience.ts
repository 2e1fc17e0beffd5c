import type { Route } from '../catalog/models.ts';

/** One call may take so many times what the model usually needs, within bounds. */
const CALL_FACTOR = 6;
const CALL_MS_MIN = 30_000;
const CALL_MS_MAX = 180_000;

/** An image has time for a call that hangs to its end and for another one after it. */
const CALLS_AN_IMAGE = 2;

/** How long one call to a route may take, order to picture, in milliseconds. */
export function callPatienceMs({ host }: Route): number {
  return Math.min(CALL_MS_MAX, Math.max(CALL_MS_MIN, host.expectedSeconds * 1_000 * CALL_FACTOR));
}

/** How long an image may take in all from its first call on, in milliseconds, given the routes that can serve it. */
export function imagePatienceMs(routes: readonly Route[]): number {
  return CALLS_AN_IMAGE * Math.max(CALL_MS_MIN, ...routes.map(callPatienceMs));
}
