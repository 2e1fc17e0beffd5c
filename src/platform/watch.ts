import { isDatabaseAway } from './database-errors.ts';

/** Something that is read from the database and whose changes are announced by events, which can get lost. */
export interface Watched<T> {
  /** Begins to listen for signs of a change; answers how to stop. */
  readonly listen: (changed: () => void) => () => void;
  /** How it stands now. */
  readonly look: () => Promise<T>;
  /** The same text for two states that nobody outside could tell apart. */
  readonly fingerprint: (state: T) => string;
  /** Whether nothing can change any more. */
  readonly isLast: (state: T) => boolean;
  /** How much later a change is seen whose sign was lost; {@link LOOK_AGAIN_MS} unless given. */
  readonly lookAgainMs?: number;
}

/**
 * Signs get lost, as while Redis is away, and some changes have none, such as the end of a period: then a change is seen
 * this much later. Short enough for somebody who watches, long enough to cost nothing.
 */
const LOOK_AGAIN_MS = 10_000;

/**
 * The state of now, then a new one whenever it has changed, never two equal ones in a row, until the last one or until
 * `signal` is aborted. Whoever reads slowly misses states in between, never the present one: nothing is read before it
 * is asked for. A database that goes away meanwhile is waited for.
 * @throws whatever the first look throws, and later what is a defect.
 */
export async function* watch<T>(watched: Watched<T>, signal: AbortSignal): AsyncGenerator<T, void, undefined> {
  let changed = false;
  let wake: () => void = () => undefined;
  const notice = () => {
    changed = true;
    wake();
  };
  const unlisten = watched.listen(notice);
  signal.addEventListener('abort', notice);
  let state: T | undefined;
  let shown: string | null = null;
  try {
    while (!signal.aborted) {
      changed = false;
      state = await lookOr(watched, state);
      const print = watched.fingerprint(state);
      if (print !== shown && !signal.aborted) {
        shown = print;
        yield state;
        if (watched.isLast(state)) return;
      }
      if (changed) continue;
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      const timer = setTimeout(resolve, watched.lookAgainMs ?? LOOK_AGAIN_MS);
      await promise;
      clearTimeout(timer);
    }
  } finally {
    signal.removeEventListener('abort', notice);
    unlisten();
  }
}

/** How it stands, or how it last stood while the database is away. */
async function lookOr<T>({ look }: Watched<T>, last: T | undefined): Promise<T> {
  try {
    return await look();
  } catch (error) {
    if (last === undefined || !isDatabaseAway(error)) throw error;
    return last;
  }
}
