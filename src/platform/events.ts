import { EventEmitter } from 'node:events';

/**
 * What a subscriber is told. Payloads are small and hold ids, never the truth: readers fetch that from the database. An
 * empty payload may also mean that events can have been missed, as after the connection to other processes broke.
 */
export interface EventBus {
  publish(channel: string, payload: string): void;
  /** Returns the function that ends the subscription. */
  subscribe(channel: string, listener: (payload: string) => void): () => void;
}

/** Some names, such as `error`, mean something to an emitter; behind a prefix none does. */
const EVENT_PREFIX = 'event:';

/** For one process. */
export class LocalEventBus implements EventBus {
  readonly #emitter = new EventEmitter().setMaxListeners(0);

  publish(channel: string, payload: string): void {
    this.#emitter.emit(EVENT_PREFIX + channel, payload);
  }

  subscribe(channel: string, listener: (payload: string) => void): () => void {
    // A function of its own for each subscription: ending one twice must not end another of the same listener.
    const listen = (payload: string) => listener(payload);
    this.#emitter.on(EVENT_PREFIX + channel, listen);
    return () => this.#emitter.off(EVENT_PREFIX + channel, listen);
  }

  /** The channels that somebody listens to. */
  channels(): string[] {
    return this.#emitter.eventNames().map(String);
  }

  hasListeners(channel: string): boolean {
    return this.#emitter.listenerCount(channel) > 0;
  }
}
