import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { newId } from '../../src/platform/ids.ts';
import { RateLimiter } from '../../src/platform/rate-limiter.ts';

const START = new Date('2026-03-15T12:00:00Z');
const seconds = (count: number) => new Date(START.getTime() + count * 1000);

describe('in one process', () => {
  beforeEach(() => {
    vi.useFakeTimers({ now: START });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test('the limit is reached after exactly so many events, and the next is told when it may come again', async () => {
    const limiter = new RateLimiter('submissions', null);
    expect(await limiter.take('a', 3)).toEqual({ allowed: true, limit: 3, remaining: 2, resetsAt: seconds(60) });
    vi.setSystemTime(seconds(10));
    expect(await limiter.take('a', 3)).toEqual({ allowed: true, limit: 3, remaining: 1, resetsAt: seconds(60) });
    expect(await limiter.take('a', 3)).toEqual({ allowed: true, limit: 3, remaining: 0, resetsAt: seconds(60) });
    for (let more = 0; more < 5; more++)
      expect(await limiter.take('a', 3)).toEqual({ allowed: false, limit: 3, remaining: 0, resetsAt: seconds(60) });
  });

  test('a minute after the first event the count begins anew, however often one was turned away', async () => {
    const limiter = new RateLimiter('submissions', null);
    for (let event = 0; event < 10; event++) await limiter.take('a', 2);
    vi.advanceTimersByTime(59_999);
    expect(await limiter.take('a', 2)).toMatchObject({ allowed: false });
    vi.advanceTimersByTime(1);
    expect(await limiter.take('a', 2)).toEqual({ allowed: true, limit: 2, remaining: 1, resetsAt: seconds(120) });
  });

  test('looking uses nothing up', async () => {
    const limiter = new RateLimiter('submissions', null);
    for (let look = 0; look < 10; look++) expect(await limiter.peek('a', 2)).toMatchObject({ limit: 2, remaining: 2 });
    await limiter.take('a', 2);
    for (let look = 0; look < 10; look++)
      expect(await limiter.peek('a', 2)).toEqual({ limit: 2, remaining: 1, resetsAt: seconds(60) });
    await limiter.take('a', 2);
    await limiter.take('a', 2);
    expect(await limiter.peek('a', 2)).toMatchObject({ remaining: 0 });
    vi.advanceTimersByTime(60_000);
    expect(await limiter.peek('a', 2)).toMatchObject({ remaining: 2 });
  });

  test('accounts, and limiters of other names, count apart', async () => {
    const limiter = new RateLimiter('submissions', null);
    await limiter.take('a', 1);
    expect(await limiter.take('b', 1)).toMatchObject({ allowed: true });
    expect(await new RateLimiter('reads', null).take('a', 1)).toMatchObject({ allowed: true });
    expect(await limiter.take('a', 1)).toMatchObject({ allowed: false });
  });

  test('any number of events at once let exactly the limit through', async () => {
    const limiter = new RateLimiter('submissions', null);
    const answers = await Promise.all(Array.from({ length: 100 }, () => limiter.take('a', 10)));
    expect(answers.filter(({ allowed }) => allowed)).toHaveLength(10);
  });
});

const redis = inject('redis');

function clientOf(url: string): Redis {
  const client = new Redis(url, { enableOfflineQueue: false, maxRetriesPerRequest: 1, lazyConnect: true });
  client.on('error', () => undefined);
  onTestFinished(() => client.disconnect());
  return client;
}

describe.skipIf('missing' in redis)('across processes that share a Redis', () => {
  const url = 'url' in redis ? redis.url : '';

  test('all together let exactly the limit through', async () => {
    const key = newId('account');
    const clients = [clientOf(url), clientOf(url), clientOf(url)];
    await Promise.all(clients.map((client) => client.connect()));
    const processes = clients.map((client) => new RateLimiter('submissions', client));
    const answers = await Promise.all(Array.from({ length: 30 }, (_, event) => processes[event % 3]?.take(key, 10)));
    expect(answers.filter((answer) => answer?.allowed)).toHaveLength(10);
    for (const limiter of processes) expect(await limiter.peek(key, 10)).toMatchObject({ limit: 10, remaining: 0 });
    const { resetsAt } = await (processes[0] as RateLimiter).peek(key, 10);
    expect(resetsAt.getTime() - Date.now()).toBeGreaterThan(50_000);
    expect(resetsAt.getTime() - Date.now()).toBeLessThanOrEqual(60_000);
  });

  test('limiters of other names count apart', async () => {
    const client = clientOf(url);
    await client.connect();
    const key = newId('account');
    await new RateLimiter('submissions', client).take(key, 1);
    expect(await new RateLimiter('reads', client).take(key, 1)).toMatchObject({ allowed: true });
  });

  test('while it is away each process goes on counting by itself, and both taking and looking still answer', async () => {
    const client = clientOf(url);
    await client.connect();
    const limiter = new RateLimiter('submissions', client);
    const key = newId('account');
    await limiter.take(key, 2);
    client.disconnect();
    expect(await limiter.take(key, 2)).toMatchObject({ allowed: true, remaining: 1 });
    expect(await limiter.peek(key, 2)).toMatchObject({ remaining: 1 });
    expect(await limiter.take(key, 2)).toMatchObject({ allowed: true, remaining: 0 });
    expect(await limiter.take(key, 2)).toMatchObject({ allowed: false });
  });
});

describe('a Redis that was never there', () => {
  test('does not stop anybody: the process counts by itself', async () => {
    const limiter = new RateLimiter('submissions', clientOf('redis://127.0.0.1:1'));
    expect(await limiter.peek('a', 1)).toMatchObject({ remaining: 1 });
    expect(await limiter.take('a', 1)).toMatchObject({ allowed: true });
    expect(await limiter.take('a', 1)).toMatchObject({ allowed: false });
  });
});
