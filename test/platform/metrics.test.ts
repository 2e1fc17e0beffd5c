import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { BoundedReading } from '../../src/platform/bounded-reading.ts';
import { Metrics } from '../../src/platform/metrics.ts';

describe('what a scrape gets', () => {
  test('is named gateway_* or is about the process, and every name is explained', async () => {
    const all = await new Metrics().registry.getMetricsAsJSON();
    const strange = all.filter(({ name }) => !/^(gateway|process|nodejs)_[a-z0-9_]+$/.test(name));
    expect(strange).toEqual([]);
    const ours = all.filter(({ name }) => name.startsWith('gateway_'));
    expect(ours.length).toBeGreaterThan(25);
    for (const { name, help } of ours) expect(help.length, name).toBeGreaterThan(30);
  });

  test('has no label that could hold an account, an id or free text', async () => {
    const metrics = new Metrics() as unknown as Record<string, { labelNames?: readonly string[] }>;
    const labels = new Set(Object.values(metrics).flatMap(({ labelNames = [] }) => labelNames));
    expect([...labels].sort()).toEqual([
      'asked',
      'field',
      'kind',
      'limit',
      'operation',
      'outcome',
      'provider',
      'reason',
      'route',
      'source',
      'state',
      'status',
      'type',
    ]);
  });

  test('says nothing of a Redis that nobody configured', async () => {
    const metrics = new Metrics();
    expect(await metrics.registry.metrics()).not.toMatch(/^gateway_redis_up \d/m);
    metrics.redisUp.set(0);
    expect(await metrics.registry.metrics()).toMatch(/^gateway_redis_up 0$/m);
  });

  test('holds what was read for it, and the rest when a reading fails', async () => {
    const metrics = new Metrics();
    metrics.beforeScrape(() => metrics.imagesWaiting.set(7));
    metrics.beforeScrape(() => {
      throw new Error('a defect');
    });
    metrics.beforeScrape(async () => metrics.jobsQueued.set(3));
    const text = await metrics.text();
    expect(text).toContain('\ngateway_images_waiting 7\n');
    expect(text).toContain('\ngateway_jobs_queued 3\n');
  });
});

describe('a reading of what may be slow', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
  afterEach(() => void vi.useRealTimers());

  test('is made once in five seconds, however often it is asked for', async () => {
    const read = vi.fn(async () => read.mock.calls.length);
    const reading = new BoundedReading(read);
    expect(await Promise.all([reading.now(), reading.now()])).toEqual([
      { value: 1, isStale: false },
      { value: 1, isStale: false },
    ]);
    vi.advanceTimersByTime(4_999);
    expect(await reading.now()).toEqual({ value: 1, isStale: false });
    vi.advanceTimersByTime(1);
    expect(await reading.now()).toEqual({ value: 2, isStale: false });
    expect(read).toHaveBeenCalledTimes(2);
  });

  test('that fails leaves the last one, marked as old, and is tried again no sooner', async () => {
    const read = vi.fn(async () => 'fresh');
    const reading = new BoundedReading(read);
    await reading.now();
    read.mockRejectedValueOnce(new Error('the database is away'));
    vi.advanceTimersByTime(5_000);
    expect(await reading.now()).toEqual({ value: 'fresh', isStale: true });
    expect(await reading.now()).toEqual({ value: 'fresh', isStale: true });
    expect(read).toHaveBeenCalledTimes(2);
    vi.advanceTimersByTime(5_000);
    expect(await reading.now()).toEqual({ value: 'fresh', isStale: false });
  });

  test('that does not come keeps each asker a second at most, is not made twice, and counts when it comes', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const read = vi.fn(() => promise);
    const reading = new BoundedReading(read);
    const waiting = reading.now();
    const isWaiting = await Promise.race([waiting, Promise.resolve('waits')]);
    expect(isWaiting).toBe('waits');
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await waiting).toEqual({ value: null, isStale: true });
    await vi.advanceTimersByTimeAsync(60_000);
    const later = reading.now();
    await vi.advanceTimersByTimeAsync(0);
    expect(await later).toEqual({ value: null, isStale: true });
    expect(read).toHaveBeenCalledTimes(1);
    resolve('at last');
    expect(await reading.now()).toEqual({ value: 'at last', isStale: false });
    expect(read).toHaveBeenCalledTimes(1);
  });
});
