import type { ProviderName } from '../catalog/models.ts';
import type { Outbound } from '../platform/outbound.ts';
import { GeminiProvider } from './gemini/gemini.provider.ts';
import { GEMINI_BASE_URL } from './gemini/gemini.wire.ts';
import type { VertexOptions } from './gemini/imagen.ts';
import { HuggingFaceProvider } from './huggingface/huggingface.provider.ts';
import { HUGGINGFACE_BASE_URL } from './huggingface/huggingface.wire.ts';
import type { Provider } from './provider.ts';
import { StabilityProvider } from './stability/stability.provider.ts';
import { STABILITY_BASE_URL } from './stability/stability.wire.ts';
import type { ProviderOptions } from './vendor-api.ts';
import { WaveSpeedProvider } from './wavespeed/wavespeed.provider.ts';
import { WAVESPEED_BASE_URL } from './wavespeed/wavespeed.wire.ts';

export interface ProviderSettings {
  readonly apiKey: string;
  /** Null: the vendor's own address. */
  readonly baseUrl: string | null;
}

export interface AllProviderSettings extends Readonly<Record<ProviderName, ProviderSettings | null>> {
  readonly gemini: (ProviderSettings & { readonly vertex: VertexOptions | null }) | null;
}

export type Providers = Readonly<Partial<Record<ProviderName, Provider>>>;

/** The providers that are switched on, by name; `null` switches one off. */
export function createProviders(settings: AllProviderSettings, outbound: Outbound): Providers {
  const { stability, wavespeed, huggingface, gemini } = settings;
  const at = ({ apiKey, baseUrl }: ProviderSettings, own: string): ProviderOptions => ({
    outbound,
    apiKey,
    baseUrl: baseUrl ?? own,
  });
  return {
    ...(stability && { stability: new StabilityProvider(at(stability, STABILITY_BASE_URL)) }),
    ...(wavespeed && { wavespeed: new WaveSpeedProvider(at(wavespeed, WAVESPEED_BASE_URL)) }),
    ...(huggingface && { huggingface: new HuggingFaceProvider(at(huggingface, HUGGINGFACE_BASE_URL)) }),
    ...(gemini && { gemini: new GeminiProvider({ ...at(gemini, GEMINI_BASE_URL), vertex: gemini.vertex }) }),
  };
}
