import { PROVIDER_NAMES, type ProviderName } from './catalog/models.ts';
import type { Config } from './config.ts';
import type { Opened } from './open-parts.ts';
import type { Log } from './platform/log.ts';
import { Outbound } from './platform/outbound.ts';
import { googleAccessTokens } from './providers/gemini/google-credentials.ts';
import { createProviders, type ProviderSettings } from './providers/registry.ts';
import { type Sandbox, type SandboxOptions, startSandbox } from './sandbox/sandbox.ts';

/** The vendors, and the sandbox in place of those that have no key. */
export async function openVendors(config: Config, log: Log, opened: Opened) {
  const sandboxed = PROVIDER_NAMES.some((name) => config.providers[name].mode === 'SANDBOX');
  const sandbox = sandboxed ? opened(await startSandbox(sandboxOptions(config)), (part) => part.close()) : null;
  const allow = [...config.outboundAllow, ...(sandbox ? [new URL(sandbox.origin).host] : [])];
  const outbound = opened(new Outbound({ allow }), (part) => part.close());
  const settingsOf = (name: ProviderName): ProviderSettings | null => {
    const setting = config.providers[name];
    if (setting.mode === 'LIVE') return { apiKey: setting.apiKey, baseUrl: setting.baseUrl };
    return setting.mode === 'SANDBOX' && sandbox ? { apiKey: SANDBOX_KEYS[name], baseUrl: sandbox.origin } : null;
  };
  const providers = createProviders(
    {
      stability: settingsOf('stability'),
      wavespeed: settingsOf('wavespeed'),
      huggingface: settingsOf('huggingface'),
      gemini: geminiSettings(config, settingsOf('gemini'), sandbox, log),
    },
    outbound,
  );
  return { sandbox, providers };
}

/** Imagen is reached through Vertex with credentials of its own; the sandbox stands in for both. */
function geminiSettings(config: Config, settings: ProviderSettings | null, sandbox: Sandbox | null, log: Log) {
  const { vertex } = config;
  if (!settings || !vertex) return settings && { ...settings, vertex: null };
  const sandboxed = config.providers.gemini.mode === 'SANDBOX' && sandbox !== null;
  return {
    ...settings,
    vertex: sandboxed
      ? { ...vertex, baseUrl: sandbox.origin, accessToken: async () => 'sandbox-token' }
      : { ...vertex, accessToken: googleAccessTokens(log) },
  };
}

/** The sandbox checks the form of a key as the vendors do. */
const SANDBOX_KEYS: Record<ProviderName, string> = {
  stability: 'sk-sandbox',
  wavespeed: 'sandbox',
  huggingface: 'hf_sandbox',
  gemini: 'sandbox',
};

function sandboxOptions({ sandboxLatency: latency, sandboxFaults: faults }: Config): SandboxOptions {
  return { latency, ...(faults !== null && { faults }) };
}
