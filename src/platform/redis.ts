import { Redis, type RedisOptions } from 'ioredis';
import type { EventBus } from './events.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { RedisEventBus } from './redis-events.ts';

/**
 * Redis never holds truth and may vanish, so a command waits a quarter of a second at most and is never queued while
 * the server is away: callers go on from the database. A server that has fallen silent is treated as gone, so that only
 * the first callers wait.
 */
const COMMAND_TIMEOUT_MS = 250;
const SILENCE_TIMEOUT_MS = 500;
const CONNECT_TIMEOUT_MS = 500;
const RECONNECT_DELAY_MAX_MS = 1_000;

export interface RedisConnections {
  readonly commands: Redis;
  readonly events: EventBus;
  close(): void;
}

/** Opens the two connections that Redis needs, one for commands and one that only listens. Does not wait for long. */
export async function openRedis(url: string, log: Log, metrics: Metrics): Promise<RedisConnections> {
  const shared: RedisOptions = {
    connectTimeout: CONNECT_TIMEOUT_MS,
    socketTimeout: SILENCE_TIMEOUT_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    retryStrategy: (tries) => Math.min(50 * 2 ** Math.min(tries, 6), RECONNECT_DELAY_MAX_MS),
  };
  const commands = new Redis(url, { ...shared, commandTimeout: COMMAND_TIMEOUT_MS, enableAutoPipelining: true });
  const listener = new Redis(url, { ...shared, autoResubscribe: false });
  const unwatch = watch(commands, log, metrics);
  listener.on('error', () => undefined);
  const events = new RedisEventBus(commands, listener);
  await readyOrNot([commands, listener]);
  return {
    commands,
    events,
    close() {
      unwatch();
      commands.disconnect();
      listener.disconnect();
    },
  };
}

/** Waits until both are ready, or until it is clear that a start without them is better than waiting on. */
async function readyOrNot(connections: readonly Redis[]): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, CONNECT_TIMEOUT_MS);
  const ready = connections.map((redis) => new Promise<void>((done) => redis.once('ready', () => done())));
  await Promise.race([Promise.all(ready), late]);
  clearTimeout(timer);
}

/** One line when Redis goes and one when it returns, and a gauge that says which it is. Answers how to stop. */
function watch(redis: Redis, log: Log, metrics: Metrics): () => void {
  let up: boolean | null = null;
  const turned = (now: boolean) => {
    metrics.redisUp.set(now ? 1 : 0);
    if (up !== now) {
      if (now) log.info('Redis is reachable');
      else log.warn('Redis is unreachable: reads go to the database, limits and events count in this process only');
    }
    up = now;
  };
  const gone = () => turned(false);
  redis.on('ready', () => turned(true));
  redis.on('close', gone);
  redis.on('error', () => undefined);
  return () => redis.off('close', gone);
}
