import { describe, expect, test } from 'vitest';
import { FAULTS } from '../../src/sandbox/faults.menu.ts';
import { directivesIn, FaultSyntaxError, parseFault } from '../../src/sandbox/faults.ts';
import { askGemini, BANANA, geminiBody, replyOf, useSandbox } from './ask.ts';

const sandbox = useSandbox();

describe('the words that ask for a fault', () => {
  test('are read with all that they say', () => {
    expect(parseFault(' status=429 retry-after=7 on=poll times=2 at=wavespeed ')).toEqual({
      name: 'status',
      effect: 'refusal',
      value: 429,
      retryAfter: '7',
      on: 'poll',
      times: 2,
      at: 'wavespeed',
      spec: 'status=429 retry-after=7 on=poll times=2 at=wavespeed',
    });
  });

  test.each(Object.keys(FAULTS).filter((name) => name !== 'status'))('need nothing but the name of %s', (name) => {
    expect(parseFault(name)).toMatchObject({ name, on: 'submit', times: null, at: null });
  });

  test.each([
    '',
    'explode',
    'constructor',
    'status',
    'status=200',
    'status=abc',
    'html=1',
    'html=200',
    'result-private=127',
    'webhook-none=1',
    'webhook-twice on=poll',
    'result-gone on=download',
    'drafts on=poll',
    'no-funds on=poll',
    'slow-body=99999999',
    'huge=301',
    'never on=lunch',
    'never at=nobody',
    'never times=x',
    'never constructor=1',
    'never quickly',
    'withheld on=poll',
    'moderated on=poll',
    'poll-failed on=poll',
  ])('are refused when they are "%s"', (spec) => {
    expect(() => parseFault(spec)).toThrow(FaultSyntaxError);
  });

  test('cannot limit, in a prompt, how many submissions suffer', () => {
    expect(() => directivesIn('a barn [sandbox:never times=1]', 'gemini')).toThrow(FaultSyntaxError);
    expect(directivesIn('a barn [sandbox:never on=poll times=1]', 'gemini')).toHaveLength(1);
  });
});

describe('faults over HTTP', () => {
  const control = (method: string, body?: unknown) =>
    replyOf(`${sandbox().origin}/_sandbox/faults`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });

  test('are planned, listed, and cleared', async () => {
    expect((await control('POST', { vendor: 'gemini', fault: 'status=503', times: 3 })).status).toBe(204);
    const menu = (await control('GET')).json();
    expect(menu.pending).toEqual([{ vendor: 'gemini', fault: 'status=503', times: 3 }]);
    expect(menu.faults.map(({ name }: Record<string, string>) => name)).toEqual(Object.keys(FAULTS));
    expect(menu.faults).toContainEqual({
      name: 'slow-body',
      effect: 'connection',
      about: FAULTS['slow-body'].about,
      value: { unit: 'milliseconds', usual: 30_000 },
    });
    expect((await control('DELETE')).status).toBe(204);
    expect((await askGemini(sandbox(), BANANA, geminiBody('a barn'))).status).toBe(200);
  });

  test.each([
    [{ vendor: 'nobody', fault: 'never' }],
    [{ vendor: 'gemini' }],
    [{ vendor: 'gemini', fault: 'explode' }],
    [{ vendor: 'gemini', fault: 'never', times: 0 }],
    [{ vendor: 'gemini', fault: 'never', times: 'often' }],
    ['nonsense'],
  ])('are refused when they are %j', async (body) => {
    const reply = await control('POST', body);
    expect([reply.status, Object.keys(reply.json())]).toEqual([400, ['error']]);
    expect(sandbox().faults.pending()).toEqual([]);
  });
});
