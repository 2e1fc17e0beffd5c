import { describe, expect, test } from 'vitest';
import { FaultRates } from '../../src/sandbox/faults.rates.ts';
import { FaultSyntaxError } from '../../src/sandbox/faults.ts';
import { type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts';
import {
  askGemini,
  askStability,
  askWavespeed,
  BANANA,
  geminiBody,
  onlyEntry,
  QWEN,
  replyOf,
  useSandbox,
} from './ask.ts';

const LIST = '10% status=503; 2.5% never at=gemini; 20% withheld at=stability; 30% status=500 on=poll';

function struck(rates: FaultRates, times: number, ...[vendor, stage]: Parameters<FaultRates['roll']>) {
  return Array.from({ length: times }, () => rates.roll(vendor, stage)?.spec ?? null);
}

function shareOf(specs: readonly (string | null)[], spec: string): number {
  return specs.filter((each) => each === spec).length / specs.length;
}

describe('faults by chance', () => {
  test('strike as often as they should, each where it is meant to', () => {
    const rates = new FaultRates(LIST, 1);
    const stability = struck(rates, 20_000, 'stability', 'submit');
    expect(shareOf(stability, 'status=503')).toBeCloseTo(0.1, 1.5);
    expect(shareOf(stability, 'withheld at=stability')).toBeCloseTo(0.2, 1.5);
    expect(new Set(stability)).toEqual(new Set([null, 'status=503', 'withheld at=stability']));
    const gemini = struck(rates, 20_000, 'gemini', 'submit');
    expect(shareOf(gemini, 'never at=gemini')).toBeCloseTo(0.025, 2);
    expect(new Set(gemini)).toEqual(new Set([null, 'status=503', 'never at=gemini']));
    const polls = struck(rates, 20_000, 'wavespeed', 'poll');
    expect(shareOf(polls, 'status=500 on=poll')).toBeCloseTo(0.3, 1.5);
    expect(struck(rates, 100, 'wavespeed', 'download')).toEqual(Array.from({ length: 100 }, () => null));
  });

  test('are the same again from the same seed, whatever other vendors do in between', () => {
    const [one, again, other] = [new FaultRates(LIST, 7), new FaultRates(LIST, 7), new FaultRates(LIST, 8)];
    struck(again, 50, 'gemini', 'submit');
    const first = struck(one, 200, 'stability', 'submit');
    expect(struck(again, 200, 'stability', 'submit')).toEqual(first);
    expect(struck(other, 200, 'stability', 'submit')).not.toEqual(first);
  });

  test('of 100 % strike every time, and exactly one of them', () => {
    const rates = new FaultRates('33.3333% status=500; 33.3333% status=502; 33.3334% never', 1);
    const specs = struck(rates, 3000, 'gemini', 'submit');
    expect(specs).not.toContain(null);
    expect(new Set(specs).size).toBe(3);
  });

  test('are none when the list is empty', () => {
    expect(new FaultRates('').shown().rates).toEqual([]);
    expect(new FaultRates(' ; ').roll('gemini', 'submit')).toBeNull();
  });

  test.each([
    'status=503',
    '5 status=503',
    '0% never',
    '101% never',
    '-1% never',
    '5% explode',
    '5% never times=2',
    '5%never',
    '60% never; 41% status=500',
    '60% never; 41% status=500 at=gemini',
  ])('are refused when they are "%s"', (list) => {
    expect(() => new FaultRates(list)).toThrow(FaultSyntaxError);
  });

  test('may add up to more than 100 % over vendors and stages apart', () => {
    const rates = new FaultRates('60% never at=stability; 60% never at=gemini; 60% never on=poll', 1);
    expect(rates.shown().rates).toHaveLength(3);
  });

  test('keep what they were when the new list cannot be understood', () => {
    const rates = new FaultRates('100% never', 1);
    expect(() => rates.set('5% explode')).toThrow(FaultSyntaxError);
    expect(rates.shown()).toEqual({ seed: 1, rates: [{ percent: 100, fault: 'never' }] });
  });
});

describe('a sandbox with faults by chance', () => {
  const sandbox = useSandbox({ faults: '100% status=503 at=stability; 100% withheld at=gemini', faultSeed: 3 });
  const ask = (at: Sandbox, prompt = 'a barn') => askStability(at, 'core', { prompt });

  test('lets them strike and says so in the journal', async () => {
    expect((await ask(sandbox())).status).toBe(503);
    expect(onlyEntry(sandbox())).toMatchObject({
      outcome: 'errored',
      bought: 'unknown',
      fault: 'status=503 at=stability',
    });
  });

  test('leaves other vendors alone', async () => {
    expect((await askWavespeed(sandbox(), QWEN, { prompt: 'a barn' })).status).toBe(200);
    expect(onlyEntry(sandbox()).fault).toBeNull();
  });

  test('prefers what a prompt asks for', async () => {
    expect((await ask(sandbox(), 'a barn [sandbox:status=402]')).status).toBe(402);
    expect(onlyEntry(sandbox()).fault).toBe('status=402');
  });

  test('prefers what was planned for the next request', async () => {
    sandbox().faults.next('stability', 'status=402');
    expect([(await ask(sandbox())).status, (await ask(sandbox())).status]).toEqual([402, 503]);
  });

  test('refuses what is not in order before chance has a say', async () => {
    expect((await askGemini(sandbox(), BANANA, {})).status).toBe(400);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'refused', bought: 'no', fault: null });
  });

  test('strikes at looks and downloads, too', async () => {
    sandbox().rates.set('100% status=500 on=poll; 100% html=503 on=download', 1);
    const { data } = (await askWavespeed(sandbox(), QWEN, { prompt: 'a barn', enable_sync_mode: true })).json();
    expect((await askWavespeed(sandbox(), `predictions/${data.id}/result`)).status).toBe(500);
    expect((await replyOf(data.outputs[0])).status).toBe(503);
    sandbox().rates.clear();
    expect((await askWavespeed(sandbox(), `predictions/${data.id}/result`)).status).toBe(200);
    expect((await replyOf(data.outputs[0])).status).toBe(200);
  });

  test('does not start with a list that cannot be understood', async () => {
    await expect(startSandbox({ faults: '5% explode' })).rejects.toThrow(FaultSyntaxError);
  });
});

describe('faults by chance over HTTP', () => {
  const sandbox = useSandbox({ faults: '5% never', faultSeed: 3 });
  const control = (method: string, path: string, body?: unknown) =>
    replyOf(`${sandbox().origin}/_sandbox/faults${path}`, {
      method,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });

  test('are shown, replaced and cleared', async () => {
    expect((await control('GET', '')).json()).toMatchObject({ seed: 3, rates: [{ percent: 5, fault: 'never' }] });
    const list = '100% status=402; 2.25% status=500 on=poll';
    expect((await control('PUT', '/rates', { rates: list, seed: 9 })).status).toBe(204);
    expect((await control('GET', '')).json()).toMatchObject({
      seed: 9,
      rates: [
        { percent: 100, fault: 'status=402' },
        { percent: 2.25, fault: 'status=500 on=poll' },
      ],
    });
    expect((await askGemini(sandbox(), BANANA, geminiBody('a barn'))).status).toBe(402);
    expect((await control('DELETE', '/rates')).status).toBe(204);
    expect((await control('GET', '')).json().rates).toEqual([]);
    expect((await askGemini(sandbox(), BANANA, geminiBody('a barn'))).status).toBe(200);
  });

  test.each([{}, { rates: 5 }, { rates: '5% explode' }, { rates: '5% never', seed: 1.5 }, 'nonsense'])(
    'are refused when they are %j, and stay as they were',
    async (body) => {
      const reply = await control('PUT', '/rates', body);
      expect([reply.status, Object.keys(reply.json())]).toEqual([400, ['error']]);
      expect(sandbox().rates.shown()).toEqual({ seed: 3, rates: [{ percent: 5, fault: 'never' }] });
    },
  );
});
