import { PROVIDER_NAMES, type ProviderName } from '../catalog/models.ts';
import type { Outbound } from '../platform/outbound.ts';
import { GeminiProvider } from './gemini/gemini.provider.ts';
import { GEMINI_BASE_URL } from './gemini/gemini.wire.ts';
import { HuggingFaceProvider } from './huggingface/huggingface.provider.ts';
import { HUGGINGFACE_BASE_URL } from './huggingface/huggingface.wire.ts';
import type { Provider } from './provider.ts';
import { StabilityProvider } from './stability/stability.provider.ts';
import { STABILITY_BASE_URL } from './stability/stability.wire.ts';
import type { ProviderOptions } from './vendor-api.ts';
import { WaveSpeedProvider } from './wavespeed/wavespeed.provider.ts';
import { WAVESPEED_BASE_URL } from './wavespeed/wavespeed.wire.ts';

const ADAPTERS = {
  stability: { Adapter: StabilityProvider, baseUrl: STABILITY_BASE_URL },
  wavespeed: { Adapter: WaveSpeedProvider, baseUrl: WAVESPEED_BASE_URL },
  huggingface: { Adapter: HuggingFaceProvider, baseUrl: HUGGINGFACE_BASE_URL },
  gemini: { Adapter: GeminiProvider, baseUrl: GEMINI_BASE_URL },
} as const satisfies Record<ProviderName, { Adapter: new (options: ProviderOptions) => Provider; baseUrl: string }>;

export interface ProviderSettings {
  readonly apiKey: string;
  /** Null: the vendor's own address. */
  readonly baseUrl: string | null;
}

/** The providers that are switched on, by name; `null` switches one off. */
export function createProviders(
  settings: Readonly<Record<ProviderName, ProviderSettings | null>>,
  outbound: Outbound,
): Partial<Record<ProviderName, Provider>> {
  const providers: Partial<Record<ProviderName, Provider>> = {};
  for (const name of PROVIDER_NAMES) {
    const chosen = settings[name];
    if (chosen === null) continue;
    const { Adapter, baseUrl } = ADAPTERS[name];
    providers[name] = new Adapter({ outbound, apiKey: chosen.apiKey, baseUrl: chosen.baseUrl ?? baseUrl });
  }
  return providers;
}
