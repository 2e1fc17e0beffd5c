import Fastify from 'fastify';
import { findRoute } from '../../src/catalog/routes.ts';
import type { AttemptsStore } from '../../src/jobs/attempts.store.ts';
import { type CallEnd, orderPicture, type VendorCallParts } from '../../src/jobs/vendor-call.ts';
import { VendorReports } from '../../src/jobs/vendor-reports.ts';
import { vendorWebhooks, webhookPath } from '../../src/jobs/vendor-webhooks.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { LocalEventBus } from '../../src/platform/events.ts';
import { newId } from '../../src/platform/ids.ts';
import { Metrics } from '../../src/platform/metrics.ts';
import { Signer } from '../../src/platform/signer.ts';
import type { Providers } from '../../src/providers/registry.ts';
import type { JournalEntry } from '../../src/sandbox/journal.ts';
import { ADAPTERS, type Adapter, faultsIn, promptOf, WORDLESS } from '../support/contract.ts';
import { contractOrder } from './contract-order.ts';
import { type Stand, startStand } from './stand.ts';

export interface ContractVendors {
  /** Orders a picture of an adapter and waits for it, `msMax` at most, while the sandbox does what `faults` say. */
  obtain(
    adapter: Adapter,
    word: string,
    faults: string,
    how: { readonly msMax: number; readonly signal: AbortSignal },
  ): Promise<CallEnd>;
  /** Called as soon as a vendor has taken a job whose prompt has this word. */
  onAccepted(word: string, act: () => void): void;
  /** What the vendors have written down of the orders with this word. */
  booked(word: string): readonly JournalEntry[];
  close(): Promise<void>;
}

/** Polls of a vendor that takes no time. */
const POLL_PACE = 0.005;

/** The adapters, and what the gateway does with their answers, in front of the sandbox; nothing is kept. */
export async function startContractVendors(): Promise<ContractVendors> {
  const events = new LocalEventBus();
  const accepted = new Map<string, () => void>();
  const shared = await startStand();
  /** By word. An order without words shows in no book whose it is, and would meet the faults of others. */
  const alone = new Map<string, Stand>();
  const attempts = attemptsInMemory((vendorId) => {
    // fal's id of a job is a path that ends with it.
    const { prompt } =
      shared.sandbox.journal().find((entry) => entry.vendorId && vendorId.endsWith(entry.vendorId)) ?? {};
    for (const [word, act] of accepted) if (prompt?.includes(word)) act();
  });
  const receiver = await startReceiver(shared.providers, attempts, events);
  const standFor = async (adapter: Adapter, word: string, faults: string): Promise<Stand> => {
    if (!WORDLESS.has(adapter)) return shared;
    const stand = await startStand();
    alone.set(word, stand);
    for (const fault of faultsIn(faults)) stand.sandbox.faults.next('stability', fault);
    return stand;
  };
  return {
    obtain: async (adapter, word, faults, { msMax, signal }) => {
      const { providers } = await standFor(adapter, word, faults);
      const parts: VendorCallParts = {
        providers,
        attempts,
        events,
        clock: systemClock,
        pollPace: POLL_PACE,
        patience: 1,
        serves: () => true,
        reportTo: (provider, attemptId) => receiver.url + webhookPath(SIGNER, provider, attemptId),
      };
      const route = findRoute(ADAPTERS[adapter]);
      if (!route) throw new Error(`there is no route ${ADAPTERS[adapter]}`);
      const prompt = promptOf(word, faults);
      const asked = await contractOrder(route, prompt);
      const finish = { contentType: 'image/png', frame: null, mayBeBlack: false } as const;
      const call = { attemptId: newId('attempt'), route, words: [prompt], signal, msMax, ...finish };
      return (await orderPicture(parts, { ...call, ...asked })).result;
    },
    onAccepted: (word, act) => void accepted.set(word, act),
    booked: (word) =>
      alone.get(word)?.sandbox.journal() ?? shared.sandbox.journal().filter(({ prompt }) => prompt?.includes(word)),
    close: async () => {
      await receiver.close();
      await Promise.all([shared, ...alone.values()].map((stand) => stand.close()));
    },
  };
}

const SIGNER = new Signer(['s'.repeat(32)]);

/** As much of the store as a call needs: the first report of an attempt is kept, whoever asks for it. */
function attemptsInMemory(accepted: (vendorId: string) => void): AttemptsStore {
  const reports = new Map<string, { vendorId: string; report: unknown }>();
  const store: Pick<AttemptsStore, 'accept' | 'keepReport' | 'report'> = {
    accept: async (_attemptId, vendorId) => accepted(vendorId),
    keepReport: async (attemptId, _provider, vendorId, report) => {
      if (reports.has(attemptId)) return false;
      reports.set(attemptId, { vendorId, report });
      return true;
    },
    report: async (attemptId, vendorId) => {
      const kept = reports.get(attemptId);
      return kept?.vendorId === vendorId ? kept.report : null;
    },
  };
  return store as AttemptsStore;
}

/** Where vendors report to, as the gateway has it. */
async function startReceiver(providers: Providers, attempts: AttemptsStore, events: LocalEventBus) {
  const app = Fastify();
  const reports = new VendorReports(providers, attempts, events, systemClock);
  await app.register(vendorWebhooks(reports, SIGNER, new Metrics()));
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return { url, close: () => app.close() };
}
