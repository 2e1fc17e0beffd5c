import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Route } from '../../src/catalog/models.ts';
import { LocalEventBus } from '../../src/platform/events.ts';
import { rejected } from '../../src/providers/outcome.ts';
import { CIRCUIT_SETTINGS } from '../../src/routing/circuit.ts';
import { RouteHealth } from '../../src/routing/health.ts';
import { type EndedCall, verdictOf } from '../../src/routing/verdict.ts';
import { routeOf, WELL } from './requests.ts';

const CORE = routeOf('stability/core');
const ULTRA = routeOf('stability/ultra');
const NANO = routeOf('gemini/nano-banana');

const DELIVERED: EndedCall = { kind: 'delivered', picture: Buffer.alloc(0), seed: null };
const BROKEN: EndedCall = { kind: 'broken', message: 'half a picture' };
const CUT: EndedCall = { kind: 'cut' };

/** One process: what it sees of vendors, on a bus that it may share. */
class Process {
  readonly health: RouteHealth;

  constructor(readonly bus = new LocalEventBus()) {
    this.health = new RouteHealth({ now: () => new Date() }, bus);
  }

  async sees(where: Route, ...ends: EndedCall[]): Promise<void> {
    for (const ended of ends) {
      await this.health.observe(where, async () => ({ result: ended, verdict: verdictOf(ended) }));
    }
  }
}

const failures = (count: number) => Array.from({ length: count }, () => BROKEN);
const { failuresMax, openMsMin, openMsMax, shutMsMax } = CIRCUIT_SETTINGS;

beforeEach(() => {
  vi.useFakeTimers({ now: new Date('2026-11-22T12:00:00Z') });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a route', () => {
  test('that nobody has tried is well, and nothing is made up about it', () => {
    expect(new Process().health.of(CORE)).toEqual(WELL);
  });

  test('is shut after so many failures in a row, and not before; the others of its host are not', async () => {
    const { health, ...process } = new Process();
    const one = Object.assign(new Process(process.bus), { health });
    await one.sees(CORE, ...failures(failuresMax - 1));
    expect(health.of(CORE)).toMatchObject({ healthy: true, circuit: 'CLOSED', reason: null, retryAt: null });
    await one.sees(CORE, BROKEN);
    expect(health.of(CORE)).toMatchObject({
      healthy: false,
      circuit: 'OPEN',
      reason: 'What it sends is no usable picture.',
      retryAt: new Date(Date.now() + openMsMin + 1),
    });
    expect(health.of(ULTRA)).toMatchObject({ healthy: true, circuit: 'CLOSED' });
  });

  test('that delivers in between is well: the failures must be in a row', async () => {
    const one = new Process();
    for (let round = 0; round < 3; round++) await one.sees(CORE, ...failures(failuresMax - 1), DELIVERED);
    expect(one.health.of(CORE)).toMatchObject({ healthy: true, circuit: 'CLOSED' });
  });

  test('that turns down what was asked is well', async () => {
    const one = new Process();
    const refused = Array.from({ length: failuresMax }, () => rejected('BAD_REQUEST', 'no'));
    await one.sees(CORE, ...refused);
    expect(one.health.of(CORE)).toMatchObject({ healthy: true, circuit: 'CLOSED', successRate: 1 });
  });

  test('takes one image when its time is over, no second beside it, and all again when that went well', async () => {
    const one = new Process();
    await one.sees(CORE, ...failures(failuresMax));
    vi.advanceTimersByTime(openMsMin);
    expect(one.health.takes(CORE)).toBe(false);
    vi.advanceTimersByTime(1);
    expect(one.health.of(CORE)).toMatchObject({ healthy: true, circuit: 'HALF_OPEN', retryAt: null });
    const probe = Promise.withResolvers<EndedCall>();
    const probed = one.health.observe(CORE, async () => {
      const ended = await probe.promise;
      return { result: ended, verdict: verdictOf(ended) };
    });
    expect(one.health.of(CORE)).toMatchObject({ healthy: false, circuit: 'HALF_OPEN' });
    probe.resolve(DELIVERED);
    await probed;
    expect(one.health.of(CORE)).toMatchObject({ healthy: true, circuit: 'CLOSED' });
  });

  test.each<[string, EndedCall, number[]]>([
    ['fails is shut for twice as long, up to a limit', BROKEN, [10_000, 20_000, 40_000, 60_000, 60_000, 60_000]],
    ['is cut off, which proves nothing, is probed again', CUT, Array(6).fill(openMsMin)],
    ['met a host that is away is probed again', rejected('UNREACHABLE', 'refused'), Array(4).fill(openMsMin)],
  ])('whose probe %s', async (_what, ended, expected) => {
    const one = new Process();
    await one.sees(CORE, ...failures(failuresMax));
    const waits = [];
    for (let ms = openMsMin + 1; waits.length < expected.length; ) {
      vi.advanceTimersByTime(ms);
      await one.sees(CORE, ended);
      ms = (one.health.of(CORE).retryAt?.getTime() ?? 0) - Date.now();
      waits.push(ms);
    }
    expect(waits).toEqual(expected.map((ms) => ms + 1));
  });

  test('a call that we cut ourselves counts neither way', async () => {
    const one = new Process();
    await one.sees(CORE, ...failures(failuresMax - 1), CUT, CUT);
    expect(one.health.of(CORE).circuit).toBe('CLOSED');
    await one.sees(CORE, BROKEN);
    expect(one.health.of(CORE).circuit).toBe('OPEN');
  });

  test('a probe that fails for a reason of our own does not close it', async () => {
    const one = new Process();
    await one.sees(CORE, ...failures(failuresMax));
    vi.advanceTimersByTime(openMsMin + 1);
    const defect = one.health.observe(CORE, () => Promise.reject(new Error('our database is away')));
    await expect(defect).rejects.toThrow('our database is away');
    expect(one.health.of(CORE).circuit).toBe('OPEN');
  });

  test('a call from before that is cut off beside a probe does not open it again', async () => {
    const one = new Process();
    const early = Promise.withResolvers<EndedCall>();
    const old = one.health.observe(CORE, async () => ({ result: null, verdict: verdictOf(await early.promise) }));
    await one.sees(CORE, ...failures(failuresMax));
    vi.advanceTimersByTime(openMsMin + 1);
    const probe = Promise.withResolvers<EndedCall>();
    const probed = one.health.observe(CORE, async () => ({ result: null, verdict: verdictOf(await probe.promise) }));
    early.resolve(CUT);
    await old;
    expect(one.health.of(CORE).circuit).toBe('HALF_OPEN');
    probe.resolve(DELIVERED);
    await probed;
    expect(one.health.of(CORE).circuit).toBe('CLOSED');
  });

  test('that withholds or turns down quickly does not pass for a quick one', async () => {
    const one = new Process();
    await one.sees(CORE, { kind: 'moderated', message: 'no', billed: false }, rejected('BAD_REQUEST', 'no'));
    expect(one.health.of(CORE)).toMatchObject({ successRate: 1, seconds: null });
  });

  test('remembers how often and how fast, the latest most', async () => {
    const one = new Process();
    const slow = async (ms: number, ended: EndedCall) =>
      one.health.observe(CORE, async () => {
        vi.advanceTimersByTime(ms);
        return { result: ended, verdict: verdictOf(ended) };
      });
    await slow(10_000, DELIVERED);
    expect(one.health.of(CORE)).toMatchObject({ successRate: 1, seconds: 10 });
    await slow(20_000, DELIVERED);
    expect(one.health.of(CORE).seconds).toBeCloseTo(12);
    await slow(90_000, BROKEN);
    expect(one.health.of(CORE).seconds).toBeCloseTo(12);
    expect(one.health.of(CORE).successRate).toBeCloseTo(0.8);
  });
});

describe('a vendor that says how long to stay away', () => {
  test('is believed at once, for the whole host where it is about the account, and no other', async () => {
    const one = new Process();
    await one.sees(CORE, rejected('RATE_LIMITED', 'slow down', 7));
    const shut = {
      healthy: false,
      circuit: 'OPEN',
      reason: 'It asks for a pause.',
      retryAt: new Date(Date.now() + 7_000),
    };
    expect(one.health.of(CORE)).toMatchObject(shut);
    expect(one.health.of(ULTRA)).toMatchObject(shut);
    expect(one.health.of(NANO)).toMatchObject({ healthy: true, circuit: 'CLOSED' });
    vi.advanceTimersByTime(7_000);
    expect(one.health.of(ULTRA)).toMatchObject({ healthy: true, circuit: 'CLOSED', reason: null });
  });

  test('is not believed for ever', async () => {
    const one = new Process();
    await one.sees(CORE, rejected('RATE_LIMITED', 'come back next year', 3_600));
    expect(one.health.of(CORE).retryAt).toEqual(new Date(Date.now() + shutMsMax));
  });
});

describe('processes that share a bus', () => {
  test('stay away from what one of them found shut, learn how fast it is, and come back when it is well', async () => {
    const bus = new LocalEventBus();
    const [one, other] = [new Process(bus), new Process(bus)];
    await one.sees(CORE, DELIVERED, ...failures(failuresMax));
    expect(other.health.of(CORE)).toMatchObject({
      healthy: false,
      circuit: 'OPEN',
      reason: 'What it sends is no usable picture.',
    });
    expect(other.health.of(CORE)).toEqual(one.health.of(CORE));
    vi.advanceTimersByTime(openMsMin + 1);
    await one.sees(CORE, DELIVERED);
    expect(other.health.of(CORE)).toMatchObject({ healthy: true, circuit: 'CLOSED' });
  });

  test('leave the probe to the one that began it, and do not wait for ever for one that died over it', async () => {
    const bus = new LocalEventBus();
    const [one, other] = [new Process(bus), new Process(bus)];
    await one.sees(CORE, ...failures(failuresMax));
    vi.advanceTimersByTime(openMsMin + 1);
    void one.health.observe(CORE, () => new Promise<never>(() => undefined));
    expect(other.health.takes(CORE)).toBe(false);
    vi.advanceTimersByTime(openMsMax);
    expect(other.health.takes(CORE)).toBe(true);
  });

  test('do not choke on what they do not understand', () => {
    const bus = new LocalEventBus();
    const { health } = new Process(bus);
    for (const payload of ['', 'nonsense', '{}', '{"route":1}', 'null']) bus.publish('route-health', payload);
    expect(health.of(CORE)).toEqual(WELL);
  });

  test('one that has stopped listens no more', () => {
    const bus = new LocalEventBus();
    const { health } = new Process(bus);
    health.stop();
    expect(bus.channels()).toEqual([]);
  });
});

describe('whoever waits for a change', () => {
  test('is woken by one, by the clock, or by giving up', async () => {
    const one = new Process();
    const never = new AbortController().signal;
    const byChange = one.health.change(60_000, never);
    await one.sees(CORE, rejected('RATE_LIMITED', 'slow down', 7));
    await byChange;
    const byClock = one.health.change(1_000, never);
    vi.advanceTimersByTime(1_000);
    await byClock;
    await one.health.change(60_000, AbortSignal.abort());
    expect(vi.getTimerCount()).toBe(0);
  });
});
