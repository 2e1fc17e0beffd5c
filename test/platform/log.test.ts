import { expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { createLog, openLog } from '../../src/platform/log.ts';
import { LogLines } from '../support/log-lines.ts';

const KEY = 'sk-vendor-key-of-the-house';

test('a line is JSON with its level in words, its time, and nothing of the machine', () => {
  const lines = new LogLines();
  createLog('info', { to: lines }).info({ jobId: 'job_1' }, 'job ended');
  expect(lines.all).toEqual([
    { level: 'info', time: expect.stringMatching(/^\d{4}-.*Z$/), jobId: 'job_1', msg: 'job ended' },
  ]);
});

test('less than its level is not written', () => {
  const lines = new LogLines();
  const log = createLog('warn', { to: lines });
  log.info('all is well');
  log.warn('something is not');
  expect(lines.all).toMatchObject([{ msg: 'something is not' }]);
});

const WITH_PROMPTS = {
  prompt: 'a secret garden',
  job: { prompt: 'a secret garden', negativePrompt: 'a secret wall' },
  row: { request: { prompt: 'a secret garden' } },
};

test('the fields of a prompt are left out, wherever a line has them', () => {
  const lines = new LogLines();
  createLog('info', { to: lines }).info(WITH_PROMPTS, 'x');
  expect(lines.all).toMatchObject([{ job: {}, row: {} }]);
  expect(lines.text.join()).not.toMatch(/secret|\bprompt/);
});

test('and are written where that was asked for', () => {
  const lines = new LogLines();
  createLog('info', { to: lines, prompts: true }).info(WITH_PROMPTS, 'x');
  expect(lines.all).toMatchObject([WITH_PROMPTS]);
});

test.each([
  ['a key of ours', `isg_${'k'.repeat(43)}`, 'isg_'],
  ['a bearer token', 'authorization: Bearer ya29.token-of-the-hour', 'ya29'],
  ['a secret of webhooks', 'whsec_c2VjcmV0', 'whsec_'],
  ['a signature in an address', 'http://x/assets/asset_1?expires=9&signature=AbC-d_9', 'AbC'],
  ['a key in an address', 'https://x/v1beta/models?key=AIzaSyXYZ0', 'AIza'],
  ['a password in an address', 'postgres://gateway:pass-word@db:5432/x', 'pass-word'],
])('%s is blotted out by its form, in a field, a message and an error', (_, text, secret) => {
  const lines = new LogLines();
  const log = createLog('info', { to: lines });
  log.info({ deep: { field: [text] } }, 'a field');
  log.info(`it says ${text}`);
  log.error({ err: new Error(text, { cause: new Error(text) }) }, 'an error');
  expect(lines.all).toHaveLength(3);
  for (const line of lines.text) {
    expect(line).not.toContain(secret);
    expect(line).toContain('[redacted]');
  }
});

test('the secrets of the configuration are blotted out whatever their form, and ordinary words are not', () => {
  const lines = new LogLines();
  const signing = 'a "signing" key\\of at least 32 characters';
  const config = readConfig({ STABILITY_API_KEY: KEY, HF_TOKEN: 'short', SIGNING_KEYS: signing });
  openLog(config, lines).info({ said: `${KEY} and ${signing}` }, 'a short story');
  expect(lines.all).toMatchObject([{ said: '[redacted] and [redacted]', msg: 'a short story' }]);
});

test('prompts stand in the log of a process that was told so, and of no other', () => {
  for (const LOG_PROMPTS of ['true', 'false']) {
    const lines = new LogLines();
    openLog(readConfig({ LOG_PROMPTS }), lines).info({ prompt: 'a dock' }, 'job ended');
    expect(lines.text.join().includes('a dock')).toBe(LOG_PROMPTS === 'true');
  }
});

test('an error is told with what it is, says, and comes from, and without the row that it was about', () => {
  const lines = new LogLines();
  const cause = Object.assign(new Error('value too long'), {
    code: '22001',
    detail: 'Failing row contains (a secret garden).',
    where: 'JSON data, line 1: {"prompt":"a secret garden"}',
  });
  createLog('info', { to: lines }).error({ err: new TypeError('it failed', { cause }) }, 'x');
  expect(lines.all).toMatchObject([
    {
      err: {
        type: 'TypeError',
        message: 'it failed',
        stack: expect.stringContaining('log.test.ts'),
        cause: { type: 'Error', message: 'value too long', code: '22001' },
      },
    },
  ]);
  expect(lines.text.join()).not.toContain('secret');
});
