/** Registers how a part that has been opened is closed again. */
export type Opened = <T>(part: T, close: (part: T) => unknown) => T;

/** What is open, so that it can be closed in the opposite order. */
export class OpenParts {
  readonly #closers: (() => unknown)[] = [];

  readonly opened: Opened = (part, close) => {
    this.#closers.unshift(() => close(part));
    return part;
  };

  async close(): Promise<void> {
    for (const close of this.#closers.splice(0)) await close();
  }
}
