/**
 * What a subscriber is told. Payloads are small and hold ids, never the truth: readers fetch that from the database. An
 * empty payload may also mean that events can have been missed, as after the connection to other processes broke.
 */
export interface EventBus {
  publish(channel: string, payload: string): void;
  /** Returns the function that ends the subscription. */
  subscribe(channel: string, listener: (payload: string) => void): () => void;
}

type Listener = (payload: string) => void;

/** For one process. */
export class LocalEventBus implements EventBus {
  readonly #listeners = new Map<string, Set<Listener>>();

  publish(channel: string, payload: string): void {
    for (const tell of [...(this.#listeners.get(channel) ?? [])]) tell(payload);
  }

  subscribe(channel: string, listener: Listener): () => void {
    // A function of its own for each subscription: ending one twice must not end another of the same listener.
    const tell = (payload: string) => listener(payload);
    const listeners = this.#listeners.get(channel) ?? new Set();
    this.#listeners.set(channel, listeners.add(tell));
    return () => {
      listeners.delete(tell);
      if (listeners.size === 0 && this.#listeners.get(channel) === listeners) this.#listeners.delete(channel);
    };
  }

  /** The channels that somebody listens to. */
  channels(): string[] {
    return [...this.#listeners.keys()];
  }

  hasListeners(channel: string): boolean {
    return this.#listeners.has(channel);
  }
}
