import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createLog } from '../../src/platform/log.ts';
import { GeminiProvider } from '../../src/providers/gemini/gemini.provider.ts';
import { googleAccessTokens } from '../../src/providers/gemini/google-credentials.ts';
import { LogLines } from '../support/log-lines.ts';
import { type Reply, renderRequest, ScriptedVendor, submitOptions } from './scripted-vendor.ts';

/**
 * Credentials of another identity provider, because they alone name the address that they are exchanged at; the others
 * are exchanged at Google, which no test calls.
 */
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'google-credentials-'));
  vi.stubEnv('GOOGLE_CLOUD_PROJECT', 'our-project');
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function credentialsAt(origin: string): void {
  const subject = join(folder, 'subject');
  writeFileSync(subject, 'who we are');
  const file = join(folder, 'credentials.json');
  writeFileSync(
    file,
    JSON.stringify({
      type: 'external_account',
      audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/own',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${origin}/v1/token`,
      credential_source: { file: subject },
    }),
  );
  vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', file);
}

const granted = (token: string): Reply => ({
  body: {
    access_token: token,
    issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    token_type: 'Bearer',
    expires_in: 3_600,
  },
});

const order = renderRequest('vertex', 'imagen-4.0-generate-001', { render: { aspectRatio: '1:1' } });

test('a credentials file is exchanged for a token once, and each call carries it', async () => {
  await using google = await ScriptedVendor.start(granted('ya29.granted'), granted('ya29.another'));
  await using vendor = await ScriptedVendor.start({ status: 400 }, { status: 400 });
  credentialsAt(google.origin);
  const provider = vendor.provider(GeminiProvider, googleAccessTokens(createLog('silent')));
  await provider.submit(order, submitOptions());
  await provider.submit(order, submitOptions());
  expect(vendor.requests.map(({ headers }) => headers.authorization)).toEqual([
    'Bearer ya29.granted',
    'Bearer ya29.granted',
  ]);
  expect(google.requests.map(({ method, path }) => `${method} ${path}`)).toEqual(['POST /v1/token']);
  const asked = new URLSearchParams(String(google.requests[0]?.body));
  expect([asked.get('subject_token'), asked.get('scope')]).toEqual([
    'who we are',
    'https://www.googleapis.com/auth/cloud-platform',
  ]);
});

const notLetIn = {
  kind: 'rejected',
  reason: 'AUTHENTICATION',
  scope: 'HOST',
  message: 'Google Gemini: no access token for Vertex',
};

test.each<[string, (origin: string) => void, RegExp]>([
  ['that are not there', () => vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', '/nowhere/key.json'), /nowhere\/key\.json/],
  ['that Google turns down', credentialsAt, /invalid_grant|400/],
])('credentials %s send nothing', async (_what, set, words) => {
  await using google = await ScriptedVendor.start({
    status: 400,
    body: { error: 'invalid_grant', error_description: 'not you' },
  });
  await using vendor = await ScriptedVendor.start();
  set(google.origin);
  const lines = new LogLines();
  const provider = vendor.provider(GeminiProvider, googleAccessTokens(createLog('error', { to: lines })));
  expect(await provider.submit(order, submitOptions())).toMatchObject(notLetIn);
  // Why is the operator's alone.
  expect(lines.text).toEqual([expect.stringMatching(words)]);
  expect(vendor.requests).toHaveLength(0);
});

test('a token that never comes is given up after ten seconds, and nothing is sent', async () => {
  await using google = await ScriptedVendor.start(() => undefined);
  await using vendor = await ScriptedVendor.start();
  credentialsAt(google.origin);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const lines = new LogLines();
  const submitted = vendor
    .provider(GeminiProvider, googleAccessTokens(createLog('error', { to: lines })))
    .submit(order, submitOptions());
  let ended = false;
  void submitted.then(() => (ended = true));
  await vi.advanceTimersByTimeAsync(9_999);
  expect(ended).toBe(false);
  await vi.advanceTimersByTimeAsync(1);
  expect(await submitted).toMatchObject(notLetIn);
  expect(lines.text).toEqual([expect.stringContaining('no token in 10 s')]);
  expect(vendor.requests).toHaveLength(0);
});
