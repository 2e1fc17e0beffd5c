import type { Route } from '../catalog/models.ts';
import type { Metrics } from '../platform/metrics.ts';
import { annotate, inCallSpan } from '../platform/tracing.ts';
import type { Judged } from '../routing/circuit.ts';

/** What a call to a vendor is measured by. */
export interface ObservedCall {
  readonly attemptId: string;
  readonly route: Route;
  /** Goes on with a call that an earlier process began, so that how long it takes here says nothing. */
  readonly isResumed: boolean;
}

/** Makes a call where operators can see it: that it is out, for how long, and how it ends. */
export async function observed<T extends { readonly kind: string; readonly reason?: string }>(
  metrics: Metrics,
  { attemptId, route, isResumed }: ObservedCall,
  call: () => Promise<Judged<T>>,
): Promise<Judged<T>> {
  const provider = { provider: route.model.provider };
  const begunAt = performance.now();
  metrics.vendorCallsOut.inc(provider);
  try {
    return await inCallSpan('attempt', { 'attempt.id': attemptId, route: route.id, resumed: isResumed }, async () => {
      const ended = await call();
      const { result } = ended;
      annotate({ outcome: result.kind, ...(result.reason !== undefined && { reason: result.reason }) });
      const labels = { route: route.id, outcome: result.kind };
      if (!isResumed) metrics.vendorSeconds.observe(labels, (performance.now() - begunAt) / 1_000);
      return ended;
    });
  } finally {
    metrics.vendorCallsOut.dec(provider);
  }
}
