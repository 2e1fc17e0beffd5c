import { EventEmitter } from 'node:events';

/** What a subscriber is told. Payloads are small and hold ids, never the truth: readers fetch that from the database. */
export interface EventBus {
  publish(channel: string, payload: string): void;
  /** Returns the function that ends the subscription. */
  subscribe(channel: string, listener: (payload: string) => void): () => void;
}

/** For one process. */
export class LocalEventBus implements EventBus {
  readonly #emitter = new EventEmitter().setMaxListeners(0);

  publish(channel: string, payload: string): void {
    this.#emitter.emit(channel, payload);
  }

  subscribe(channel: string, listener: (payload: string) => void): () => void {
    this.#emitter.on(channel, listener);
    return () => this.#emitter.off(channel, listener);
  }
}
