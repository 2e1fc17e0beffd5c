import type { Route } from '../../src/catalog/models.ts';
import { Outbound } from '../../src/platform/outbound.ts';
import type { CheckOutcome, Order, SubmitOutcome } from '../../src/providers/provider.ts';
import { createProviders, type Providers } from '../../src/providers/registry.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import { never, submitOptions } from './scripted-vendor.ts';

/** A sandbox with every adapter set up to call it. */
export interface Stand {
  readonly sandbox: Sandbox;
  readonly providers: Providers;
  close(): Promise<void>;
}

export async function startStand(): Promise<Stand> {
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
  const settings = {
    stability: at('sk-sandbox'),
    wavespeed: at('sandbox'),
    huggingface: at('hf_sandbox'),
    gemini: { ...at('sandbox'), vertex },
  };
  return {
    sandbox,
    providers: createProviders(settings, outbound),
    close: async () => {
      await outbound.close();
      await sandbox.close();
    },
  };
}

const LOOKS_MAX = 4;

/** Orders a picture and looks at its job until it has ended. */
export async function obtain(
  { providers }: Stand,
  { model }: Route,
  order: Order,
): Promise<SubmitOutcome | CheckOutcome> {
  const provider = providers[model.provider];
  if (!provider) throw new Error(`no provider ${model.provider}`);
  const submitted = await provider.submit(order, submitOptions());
  if (submitted.kind !== 'accepted') return submitted;
  let checked: CheckOutcome = { kind: 'pending', pollAfterMs: 0 };
  for (let looks = 0; checked.kind === 'pending' && looks < LOOKS_MAX; looks++) {
    checked = await provider.check(submitted.ticket, never);
  }
  return checked;
}
