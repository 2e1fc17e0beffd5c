import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Log } from '../../src/platform/log.ts';
import { Metrics } from '../../src/platform/metrics.ts';
import { RateLimiter } from '../../src/platform/rate-limiter.ts';
import { openRedis, type RedisConnections } from '../../src/platform/redis.ts';
import { freePort } from '../support/server-process.ts';
import { hasOwnRedis, launchOwnRedis } from './own-redis.ts';

const SOON = { interval: 5, timeout: 5_000 };
/** A command waits a quarter of a second; the rest is what a busy machine needs. */
const COMMAND_MAX_MS = 450;

/** Keeps what it is told, and nothing else. */
function listeningLog(): { lines: string[]; log: Log } {
  const lines: string[] = [];
  const log = { info: (line: string) => lines.push(line), warn: (line: string) => lines.push(line) };
  return { lines, log: log as unknown as Log };
}

// A Redis of its own, because it is stopped and killed here.
describe.skipIf(!hasOwnRedis)('Redis', () => {
  let port: number;
  let server: Awaited<ReturnType<typeof launchOwnRedis>> | null = null;
  let admin: Redis;
  const opened: RedisConnections[] = [];
  beforeEach(async () => {
    port = await freePort();
    server = await launch();
    admin = new Redis(server.url);
    admin.on('error', () => undefined);
  });
  afterEach(async () => {
    for (const { close } of opened.splice(0)) close();
    admin.disconnect();
    await server?.stop();
  });

  const launch = () => launchOwnRedis(port);
  const open = async () => {
    const metrics = new Metrics();
    const { lines, log } = listeningLog();
    const redis = await openRedis(`redis://127.0.0.1:${port}`, log, metrics);
    opened.push(redis);
    return { ...redis, lines, up: async () => (await metrics.redisUp.get()).values[0]?.value };
  };
  const timed = async <T>(work: () => Promise<T>) => {
    const startedAt = performance.now();
    const [result] = await Promise.allSettled([work()]);
    return { ...result, ms: performance.now() - startedAt };
  };
  const listeners = async (channel: string) => Number((await admin.pubsub('NUMSUB', `isg:event:${channel}`))[1]);
  /** Subscribes, and waits until events of others arrive. */
  const listen = async ({ events }: RedisConnections, channel: string) => {
    const heard: string[] = [];
    const leave = events.subscribe(channel, (payload) => heard.push(payload));
    await expect.poll(() => heard, SOON).toEqual(['']);
    heard.length = 0;
    return { heard, leave };
  };

  describe('events', () => {
    test('reach every process once, the one that sends them included, in their order', async () => {
      const [here, there] = [await open(), await open()];
      const [mine, theirs] = [await listen(here, 'job:1'), await listen(there, 'job:1')];
      for (const payload of ['a', 'b|c', 'd']) here.events.publish('job:1', payload);
      here.events.publish('job:2', 'of no interest');
      expect(mine.heard).toEqual(['a', 'b|c', 'd']);
      await expect.poll(() => theirs.heard, SOON).toEqual(['a', 'b|c', 'd']);
      there.events.publish('job:1', 'e');
      await expect.poll(() => mine.heard, SOON).toEqual(['a', 'b|c', 'd', 'e']);
      expect(theirs.heard).toEqual(['a', 'b|c', 'd', 'e']);
    });

    test('are no longer asked for when the last listener of a channel has left', async () => {
      const here = await open();
      const [first, second] = [await listen(here, 'job:1'), here.events.subscribe('job:1', () => undefined)];
      expect(await listeners('job:1')).toBe(1);
      first.leave();
      here.events.publish('job:1', '');
      expect(await listeners('job:1')).toBe(1);
      second();
      await expect.poll(() => listeners('job:1'), SOON).toBe(0);
      const again = await listen(here, 'job:1');
      here.events.publish('job:1', 'again');
      expect([first.heard, again.heard]).toEqual([[], ['again']]);
    });

    test('of a thousand channels that were listened to for a moment leave nothing behind', async () => {
      const here = await open();
      const leave = Array.from({ length: 1_000 }, (_, index) => here.events.subscribe(`job:${index}`, () => undefined));
      await expect.poll(async () => (await admin.pubsub('CHANNELS')).length, SOON).toBe(1_000);
      for (const end of leave) end();
      await expect.poll(async () => (await admin.pubsub('CHANNELS')).length, SOON).toBe(0);
    });

    test('go on within the process while Redis is away; when it is back every listener is told once that it may have missed some', async () => {
      const [here, there] = [await open(), await open()];
      const [mine, theirs] = [await listen(here, 'job:1'), await listen(there, 'job:1')];
      await server?.stop();
      await expect.poll(async () => [await here.up(), await there.up()], SOON).toEqual([0, 0]);
      here.events.publish('job:1', 'lost to others');
      expect(mine.heard).toEqual(['lost to others']);

      server = await launch();
      await expect.poll(() => [mine.heard, theirs.heard], SOON).toEqual([['lost to others', ''], ['']]);
      here.events.publish('job:1', 'heard again');
      await expect.poll(() => theirs.heard, SOON).toEqual(['', 'heard again']);
    });

    test('of channels that were subscribed to while Redis was away arrive when it is there', async () => {
      const [here, there] = [await open(), await open()];
      await server?.stop();
      await expect.poll(async () => [await here.up(), await there.up()], SOON).toEqual([0, 0]);
      const heard: string[] = [];
      there.events.subscribe('job:1', (payload) => heard.push(payload));
      server = await launch();
      await expect.poll(() => heard, SOON).toEqual(['']);
      await expect.poll(() => here.up(), SOON).toBe(1);
      here.events.publish('job:1', 'hello');
      await expect.poll(() => heard, SOON).toEqual(['', 'hello']);
    });
  });

  describe('that is not there', () => {
    test('from the start delays the start by half a second at most, and is used when it comes', async () => {
      await server?.stop();
      const startedAt = performance.now();
      const redis = await open();
      expect(performance.now() - startedAt).toBeLessThan(1_000);
      expect(await redis.up()).toBe(0);
      const { status, ms } = await timed(() => redis.commands.get('x'));
      expect([status, ms < 50]).toEqual(['rejected', true]);
      expect(redis.lines).toEqual([expect.stringContaining('Redis is unreachable')]);

      server = await launch();
      await expect.poll(() => redis.up(), SOON).toBe(1);
      await redis.commands.set('x', 'kept');
      expect(await redis.commands.get('x')).toBe('kept');
      expect(redis.lines).toEqual([
        expect.stringContaining('Redis is unreachable'),
        expect.stringContaining('Redis is reachable'),
      ]);
    });

    test('is said once when it goes and once when it is back, however long it was away', async () => {
      const redis = await open();
      await server?.stop();
      await expect.poll(() => redis.up(), SOON).toBe(0);
      let tries = 0;
      redis.commands.on('reconnecting', () => tries++);
      await expect.poll(() => tries, SOON).toBeGreaterThan(2);
      server = await launch();
      await expect.poll(() => redis.up(), SOON).toBe(1);
      expect(redis.lines.map((line) => line.split(':')[0])).toEqual([
        'Redis is reachable',
        'Redis is unreachable',
        'Redis is reachable',
      ]);
    });
  });

  describe('frozen', () => {
    let pid: number;
    beforeEach(async () => {
      pid = Number(/process_id:(\d+)/.exec(await admin.info('server'))?.[1]);
    });
    afterEach(() => {
      process.kill(pid, 'SIGCONT');
    });

    test('fails a command within a quarter of a second, and later ones at once; and is used again when it goes on', async () => {
      const redis = await open();
      await redis.commands.set('x', 'kept');
      process.kill(pid, 'SIGSTOP');
      const first = await timed(() => redis.commands.get('x'));
      expect(first.status).toBe('rejected');
      expect(first.ms).toBeLessThan(COMMAND_MAX_MS);
      await expect.poll(() => redis.up(), SOON).toBe(0);
      const later = await timed(() => redis.commands.get('x'));
      expect(later.status).toBe('rejected');
      expect(later.ms).toBeLessThan(COMMAND_MAX_MS);

      process.kill(pid, 'SIGCONT');
      await expect.poll(() => redis.up(), SOON).toBe(1);
      expect(await redis.commands.get('x')).toBe('kept');
    });

    test('does not stop the limiter, which counts in this process meanwhile and together again afterwards', async () => {
      const [here, there] = [await open(), await open()];
      const [mine, theirs] = [new RateLimiter('test', here.commands), new RateLimiter('test', there.commands)];
      expect(await mine.take('account', 3)).toMatchObject({ allowed: true, remaining: 2 });
      expect(await theirs.take('account', 3)).toMatchObject({ allowed: true, remaining: 1 });

      process.kill(pid, 'SIGSTOP');
      for (const expected of [
        { allowed: true, remaining: 2 },
        { allowed: true, remaining: 1 },
        { allowed: true, remaining: 0 },
        { allowed: false, remaining: 0 },
      ]) {
        const { status, ms, ...rest } = await timed(() => mine.take('account', 3));
        expect(status).toBe('fulfilled');
        expect(ms).toBeLessThan(COMMAND_MAX_MS);
        expect(rest).toMatchObject({ value: expected });
      }
      const look = await timed(() => mine.peek('account', 3));
      expect(look).toMatchObject({ status: 'fulfilled', value: { remaining: 0 } });
      expect(look.ms).toBeLessThan(COMMAND_MAX_MS);

      process.kill(pid, 'SIGCONT');
      await expect.poll(async () => [await here.up(), await there.up()], SOON).toEqual([1, 1]);
      // What was sent to the frozen server may still have been counted by it: never more was allowed for that.
      const { remaining } = await theirs.peek('account', 3);
      expect(remaining).toBeLessThanOrEqual(1);
      expect((await mine.peek('account', 3)).remaining).toBe(remaining);
    });
  });
});
