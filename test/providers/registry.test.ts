import { expect, test } from 'vitest';
import { PROVIDER_NAMES } from '../../src/catalog/models.ts';
import type { Outbound, OutboundRequest } from '../../src/platform/outbound.ts';
import { createProviders } from '../../src/providers/registry.ts';
import { renderRequest, submitOptions } from './scripted-vendor.ts';

/** Records where calls would go; the vendors' real addresses must not be called from a test. */
function recording(): { outbound: Outbound; urls: string[] } {
  const urls: string[] = [];
  const send = async ({ url }: OutboundRequest) => {
    urls.push(url);
    return { status: 400, headers: {}, body: Buffer.alloc(0) };
  };
  return { outbound: { send } as unknown as Outbound, urls };
}

const off = { stability: null, wavespeed: null, huggingface: null, gemini: null };

test('what is switched off does not exist', async () => {
  const { outbound } = recording();
  expect(createProviders(off, outbound)).toEqual({});
  const providers = createProviders({ ...off, gemini: { apiKey: 'k', baseUrl: null, vertex: null } }, outbound);
  expect(Object.keys(providers)).toEqual(['gemini']);
  expect([...(providers.gemini?.hosts ?? [])]).toEqual(['gemini']);
  const { gemini } = providers;
  await expect(gemini?.submit(renderRequest('vertex', 'm'), submitOptions())).rejects.toThrow('not set up');
});

test('every provider calls its vendor, or the address that is set instead', async () => {
  const { outbound, urls } = recording();
  const own = { apiKey: 'k', baseUrl: null };
  const other = { apiKey: 'k', baseUrl: 'http://127.0.0.1:5555/vendors/' };
  for (const chosen of [own, other]) {
    const providers = createProviders(
      { stability: chosen, wavespeed: chosen, huggingface: chosen, gemini: { ...chosen, vertex: null } },
      outbound,
    );
    for (const name of PROVIDER_NAMES) {
      expect(providers[name]?.name).toBe(name);
      const host = name === 'huggingface' ? 'fal-ai' : name;
      await providers[name]?.submit(renderRequest(host, 'm'), submitOptions());
    }
  }
  expect(urls).toEqual([
    'https://api.stability.ai/v2beta/stable-image/generate/sd3',
    'https://api.wavespeed.ai/api/v3/m',
    'https://router.huggingface.co/fal-ai/m?_subdomain=queue',
    'https://generativelanguage.googleapis.com/v1beta/models/m:generateContent',
    'http://127.0.0.1:5555/vendors/v2beta/stable-image/generate/sd3',
    'http://127.0.0.1:5555/vendors/api/v3/m',
    'http://127.0.0.1:5555/vendors/fal-ai/m?_subdomain=queue',
    'http://127.0.0.1:5555/vendors/v1beta/models/m:generateContent',
  ]);
});

test.each([
  ['us-central1', null, 'https://us-central1-aiplatform.googleapis.com'],
  ['global', null, 'https://aiplatform.googleapis.com'],
  ['global', 'http://127.0.0.1:5555/', 'http://127.0.0.1:5555'],
])('Imagen in %s, set to %s, is called at %s', async (location, baseUrl, origin) => {
  const { outbound, urls } = recording();
  const vertex = { project: 'our-project', location, baseUrl, accessToken: async () => 'token' };
  const { gemini } = createProviders({ ...off, gemini: { apiKey: 'k', baseUrl: null, vertex } }, outbound);
  await gemini?.submit(renderRequest('vertex', 'm'), submitOptions());
  expect([...(gemini?.hosts ?? [])]).toEqual(['gemini', 'vertex']);
  expect(urls).toEqual([`${origin}/v1/projects/our-project/locations/${location}/publishers/google/models/m:predict`]);
});
