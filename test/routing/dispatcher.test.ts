import { describe, expect, test } from 'vitest';
import type { Route } from '../../src/catalog/models.ts';
import { LocalEventBus } from '../../src/platform/events.ts';
import { rejected } from '../../src/providers/outcome.ts';
import { Dispatcher } from '../../src/routing/dispatcher.ts';
import { RouteHealth } from '../../src/routing/health.ts';
import { type Verdict, verdictOf } from '../../src/routing/verdict.ts';
import { TestClock } from '../support/clock.ts';
import { routeOf } from './requests.ts';

const CORE = routeOf('stability/core');
const ULTRA = routeOf('stability/ultra');
const NANO = routeOf('gemini/nano-banana');
const NEVER = new AbortController().signal;
const WELL: Verdict = { ill: 'NOBODY', reason: '', shutSeconds: 0, delivered: true };

/** Calls that end when they are told to. */
function house(stability: number) {
  const health = new RouteHealth(new TestClock(), new LocalEventBus());
  const dispatcher = new Dispatcher(health, { stability, wavespeed: 1, huggingface: 1, gemini: 1 });
  const out: (() => void)[] = [];
  const call = (where: Route, signal = NEVER) =>
    dispatcher.run(where, signal, async () => {
      await new Promise<void>((resolve) => out.push(resolve));
      return { result: 'drawn', verdict: WELL };
    });
  return { health, dispatcher, out, call };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('a provider', () => {
  test('draws as many at once as it takes; the others wait their turn and none is refused', async () => {
    const { dispatcher, out, call } = house(4);
    const all = [call(CORE), call(CORE), call(CORE), call(ULTRA), call(ULTRA), call(ULTRA)];
    await settled();
    expect(out).toHaveLength(4);
    expect(dispatcher.waiting).toBe(2);
    while (out.length > 0) {
      out.shift()?.();
      await settled();
    }
    expect(await Promise.all(all)).toEqual(Array(6).fill('drawn'));
    expect(dispatcher.waiting).toBe(0);
  });

  test('leaves a quarter of its places to the other models when one model keeps all it can get', async () => {
    const { out, call } = house(4);
    const hanging = [1, 2, 3, 4, 5].map(() => call(CORE));
    await settled();
    expect(out).toHaveLength(3);
    const other = call(ULTRA);
    await settled();
    out[3]?.();
    expect(await other).toBe('drawn');
    expect(hanging).toHaveLength(5);
  });

  test('does not make others wait for its places', async () => {
    const { out, call } = house(1);
    void call(CORE);
    void call(CORE);
    const elsewhere = call(NANO);
    await settled();
    out[1]?.();
    expect(await elsewhere).toBe('drawn');
  });
});

describe('an image that waits for its turn', () => {
  test('is let go at once when it is not wanted any more, and never sent', async () => {
    const { dispatcher, out, call } = house(1);
    const stop = new AbortController();
    const first = call(CORE);
    const second = call(CORE, stop.signal);
    await settled();
    stop.abort();
    expect(await second).toBeNull();
    expect(dispatcher.waiting).toBe(0);
    out.shift()?.();
    expect(await first).toBe('drawn');
    await settled();
    expect(out).toHaveLength(0);
  });

  test('is not sent where the circuit has opened meanwhile', async () => {
    const { dispatcher, out, call } = house(1);
    const refusal = rejected('RATE_LIMITED', 'slow down', 60);
    const first = dispatcher.run(CORE, NEVER, async () => ({ result: 'refused', verdict: verdictOf(refusal) }));
    const second = call(CORE);
    expect(await first).toBe('refused');
    expect(await second).toBeNull();
    expect(out).toHaveLength(0);
  });
});

test('a call that fails for a reason of our own gives its place back', async () => {
  const { dispatcher, out, call } = house(1);
  const failing = dispatcher.run(CORE, NEVER, () => Promise.reject(new Error('our defect')));
  await expect(failing).rejects.toThrow('our defect');
  const next = call(CORE);
  await settled();
  out.shift()?.();
  expect(await next).toBe('drawn');
});
