import { expect, test } from 'vitest';
import { findRoute } from '../../src/catalog/routes.ts';
import type { AttemptsStore } from '../../src/jobs/attempts.store.ts';
import { orderPicture, type VendorCallParts } from '../../src/jobs/vendor-call.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { LocalEventBus } from '../../src/platform/events.ts';
import type { Provider } from '../../src/providers/provider.ts';
import { renderRequest } from '../providers/scripted-vendor.ts';

test('the id of an accepted order is written down although the database was away when it came', async () => {
  const route = findRoute('wavespeed/qwen-image');
  if (!route) throw new Error('the catalog has lost a route');
  const away = Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' });
  const accepted: string[] = [];
  let failures = 1;
  const attempts: Pick<AttemptsStore, 'accept' | 'report'> = {
    accept: async (_attemptId, vendorId) => {
      if (failures-- > 0) throw away;
      accepted.push(vendorId);
    },
    report: async () => null,
  };
  const ticket = { host: 'wavespeed', vendorModel: route.host.vendorModel, vendorId: 'p1' };
  const provider: Provider = {
    name: 'wavespeed',
    hosts: new Set(['wavespeed']),
    webhooks: null,
    submit: async () => ({ kind: 'accepted', ticket, pollAfterMs: 1 }),
    check: async () => ({ kind: 'failed', message: 'the vendor failed at it' }),
    cancel: async () => undefined,
  };
  const parts: VendorCallParts = {
    attempts: attempts as AttemptsStore,
    events: new LocalEventBus(),
    clock: systemClock,
    pollPace: 1,
    providers: { wavespeed: provider },
    serves: () => true,
    patience: 1,
    reportTo: () => null,
  };
  const { result } = await orderPicture(parts, {
    attemptId: 'attempt_1',
    route,
    ordered: null,
    size: { width: 64, height: 64 },
    contentType: 'image/png',
    frame: null,
    mayBeBlack: false,
    signal: new AbortController().signal,
    words: [],
    order: renderRequest('wavespeed', route.host.vendorModel),
    msMax: 30_000,
  });
  expect(result).toEqual({ kind: 'failed', message: 'the vendor failed at it' });
  expect(accepted).toEqual(['p1']);
});
