import { Redis } from 'ioredis';
import { type EventBus, LocalEventBus } from './events.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/**
 * Redis never holds truth and may vanish, so a command waits a quarter of a second at most and is never queued while
 * the server is away: callers go on from the database.
 */
const COMMAND_TIMEOUT_MS = 250;
const CONNECT_TIMEOUT_MS = 500;
const RECONNECT_DELAY_MAX_MS = 1_000;

export interface RedisConnections {
  readonly commands: Redis;
  readonly events: EventBus;
  close(): void;
}

/** Opens the two connections that Redis needs, one for commands and one that only listens. Does not wait for long. */
export async function openRedis(url: string, log: Log, metrics: Metrics): Promise<RedisConnections> {
  const shared = {
    connectTimeout: CONNECT_TIMEOUT_MS,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 1,
    retryStrategy: (tries: number) => Math.min(50 * 2 ** Math.min(tries, 6), RECONNECT_DELAY_MAX_MS),
  };
  const commands = new Redis(url, { ...shared, commandTimeout: COMMAND_TIMEOUT_MS, enableAutoPipelining: true });
  const listener = new Redis(url, { ...shared, enableOfflineQueue: true, maxRetriesPerRequest: null });
  watch(commands, log, metrics);
  listener.on('error', () => undefined);
  const events = new RedisEventBus(commands, listener);
  await new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, CONNECT_TIMEOUT_MS);
    commands.once('ready', () => {
      clearTimeout(timer);
      resolve();
    });
  });
  return {
    commands,
    events,
    close() {
      commands.disconnect();
      listener.disconnect();
    },
  };
}

/** One line when Redis goes and one when it returns, and a gauge that says which it is. */
function watch(redis: Redis, log: Log, metrics: Metrics): void {
  let up: boolean | null = null;
  const turned = (now: boolean) => {
    metrics.redisUp.set(now ? 1 : 0);
    if (up !== now) {
      if (now) log.info('Redis is reachable');
      else
        log.warn('Redis is unreachable: prices come from the database, limits and events count in this process only');
    }
    up = now;
  };
  redis.on('ready', () => turned(true));
  redis.on('close', () => turned(false));
  redis.on('error', () => undefined);
}

const CHANNEL_PREFIX = 'isg:event:';

/**
 * Events across processes. Each is also delivered in this process directly, so that a process always hears itself even
 * while Redis is away; the copy that comes back from Redis is recognised by its sender and dropped.
 */
class RedisEventBus implements EventBus {
  readonly #local = new LocalEventBus();
  readonly #sender = crypto.randomUUID();
  readonly #subscribed = new Set<string>();

  constructor(
    private readonly commands: Redis,
    private readonly listener: Redis,
  ) {
    listener.on('message', (channel: string, message: string) => {
      const [sender = '', payload = ''] = splitOnce(message, '|');
      if (sender !== this.#sender) this.#local.publish(channel.slice(CHANNEL_PREFIX.length), payload);
    });
  }

  publish(channel: string, payload: string): void {
    this.#local.publish(channel, payload);
    // A lost event is healed by whoever listens: every cache is also revalidated by the clock.
    this.commands.publish(CHANNEL_PREFIX + channel, `${this.#sender}|${payload}`).catch(() => undefined);
  }

  subscribe(channel: string, listener: (payload: string) => void): () => void {
    if (!this.#subscribed.has(channel)) {
      this.#subscribed.add(channel);
      // ioredis subscribes again by itself after a reconnect.
      this.listener.subscribe(CHANNEL_PREFIX + channel).catch(() => this.#subscribed.delete(channel));
    }
    return this.#local.subscribe(channel, listener);
  }
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? ['', text] : [text.slice(0, at), text.slice(at + 1)];
}
