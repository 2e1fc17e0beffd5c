import Fastify from 'fastify';
import type { Route } from '../../src/catalog/models.ts';
import { findRoute } from '../../src/catalog/routes.ts';
import type { AttemptsStore } from '../../src/jobs/attempts.store.ts';
import { type CallEnd, orderPicture, type VendorCallParts } from '../../src/jobs/vendor-call.ts';
import { VendorReports } from '../../src/jobs/vendor-reports.ts';
import { vendorWebhooks, webhookPath } from '../../src/jobs/vendor-webhooks.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { LocalEventBus } from '../../src/platform/events.ts';
import { newId } from '../../src/platform/ids.ts';
import { Metrics } from '../../src/platform/metrics.ts';
import { Outbound } from '../../src/platform/outbound.ts';
import { Signer } from '../../src/platform/signer.ts';
import type { Order } from '../../src/providers/provider.ts';
import { createProviders, type Providers } from '../../src/providers/registry.ts';
import { planRender } from '../../src/routing/render-plan.ts';
import type { JournalEntry } from '../../src/sandbox/journal.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';

export interface ContractVendors {
  /** Orders a picture at a route and waits for it, `msMax` at most. */
  obtain(
    routeId: string,
    prompt: string,
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
const ASKED_SIZE = { width: 768, height: 768 };

/** The adapters, and what the gateway does with their answers, in front of the sandbox; nothing is kept. */
export async function startContractVendors(): Promise<ContractVendors> {
  const sandbox = await startSandbox();
  const { host, port } = new URL(sandbox.origin);
  // The sandbox's other name is another host to everybody here; that it is on the list stands for being public.
  const outbound = new Outbound({ allow: [host, `localhost:${port}`] });
  const at = (apiKey: string) => ({ apiKey, baseUrl: sandbox.origin });
  const vertex = {
    project: 'a-project',
    location: 'us-central1',
    baseUrl: sandbox.origin,
    accessToken: async () => 't',
  };
  const providers = createProviders(
    {
      stability: at('sk-sandbox'),
      wavespeed: at('sandbox'),
      huggingface: at('hf_sandbox'),
      gemini: { ...at('sandbox'), vertex },
    },
    outbound,
  );
  const events = new LocalEventBus();
  const accepted = new Map<string, () => void>();
  const attempts = attemptsInMemory((vendorId) => {
    // fal's id of a job is a path that ends with it.
    const { prompt } = sandbox.journal().find((entry) => entry.vendorId && vendorId.endsWith(entry.vendorId)) ?? {};
    for (const [word, act] of accepted) if (prompt?.includes(word)) act();
  });
  const receiver = await startReceiver(providers, attempts, events);
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
  return {
    obtain: async (routeId, prompt, { msMax, signal }) => {
      const route = routeOf(routeId);
      const ordered = route.model.renders && planRender(route.model.renders, ASKED_SIZE)?.render;
      if (!ordered) throw new Error(`${routeId} draws no square`);
      const { name, vendorModel } = route.host;
      const order: Order = {
        operation: 'GENERATE',
        host: name,
        vendorModel,
        prompt,
        negativePrompt: null,
        stylePreset: null,
        seed: null,
        render: ordered,
      };
      const call = { attemptId: newId('attempt'), route, ordered, size: ASKED_SIZE, words: [prompt], signal, msMax };
      return (await orderPicture(parts, { ...call, order })).result;
    },
    onAccepted: (word, act) => void accepted.set(word, act),
    booked: (word) => sandbox.journal().filter(({ prompt }) => prompt?.includes(word)),
    close: async () => {
      await receiver.close();
      await outbound.close();
      await sandbox.close();
    },
  };
}

const SIGNER = new Signer(['s'.repeat(32)]);

function routeOf(id: string): Route {
  const route = findRoute(id);
  if (!route) throw new Error(`there is no route ${id}`);
  return route;
}

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
