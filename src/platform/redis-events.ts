import type { Redis } from 'ioredis';
import { type EventBus, LocalEventBus } from './events.ts';

const PREFIX = 'isg:event:';

/**
 * Events across processes. Each is also delivered in this process directly, so that a process always hears itself even
 * while Redis is away; the copy that comes back from Redis is recognised by its sender and dropped. Redis keeps no
 * events, so whenever listening to a channel begins or begins again, its listeners are told that they may have missed
 * some.
 */
export class RedisEventBus implements EventBus {
  readonly #local = new LocalEventBus();
  readonly #sender = crypto.randomUUID();

  constructor(
    private readonly commands: Redis,
    private readonly listener: Redis,
  ) {
    listener.on('message', (channel: string, message: string) => {
      const at = message.indexOf('|');
      if (message.slice(0, at) !== this.#sender)
        this.#local.publish(channel.slice(PREFIX.length), message.slice(at + 1));
    });
    listener.on('ready', () => {
      for (const channel of this.#local.channels()) this.#listen(channel);
    });
  }

  publish(channel: string, payload: string): void {
    this.#local.publish(channel, payload);
    // A lost event is healed by whoever listens: every cache is also revalidated by the clock.
    this.commands.publish(PREFIX + channel, `${this.#sender}|${payload}`).catch(() => undefined);
  }

  subscribe(channel: string, listener: (payload: string) => void): () => void {
    const isFirst = !this.#local.hasListeners(channel);
    const unsubscribe = this.#local.subscribe(channel, listener);
    // Without a connection there is nothing to do now: all channels are listened to as soon as there is one.
    if (isFirst && this.listener.status === 'ready') this.#listen(channel);
    return () => {
      unsubscribe();
      if (!this.#local.hasListeners(channel)) this.listener.unsubscribe(PREFIX + channel).catch(() => undefined);
    };
  }

  #listen(channel: string): void {
    this.listener.subscribe(PREFIX + channel).then(
      () => this.#local.publish(channel, ''),
      () => undefined,
    );
  }
}
