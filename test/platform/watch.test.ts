import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DatabaseSilent } from '../../src/platform/database-errors.ts';
import { LocalEventBus } from '../../src/platform/events.ts';
import { watch } from '../../src/platform/watch.ts';

const LAST = 99;

let events: LocalEventBus;
let stop: AbortController;
let present: number;
let looks: number;
let failure: Error | null;
beforeEach(() => {
  vi.useFakeTimers();
  events = new LocalEventBus();
  stop = new AbortController();
  present = 1;
  looks = 0;
  failure = null;
});
afterEach(() => {
  vi.useRealTimers();
});

function watchPresent(): AsyncGenerator<number, void, undefined> {
  return watch(
    {
      look: async () => {
        looks++;
        if (failure) throw failure;
        return present;
      },
      listen: (changed) => events.subscribe('changed', changed),
      fingerprint: String,
      isLast: (state) => state === LAST,
    },
    stop.signal,
  );
}

function change(to: number): void {
  present = to;
  events.publish('changed', '');
}

/** Nothing that was begun for a watch is left. */
function expectNothingLeft(): void {
  expect(events.channels()).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
}

describe('what is watched', () => {
  test('is shown as it is, then as it becomes, and is over after its last state', async () => {
    const states = watchPresent();
    expect(await states.next()).toEqual({ done: false, value: 1 });
    const second = states.next();
    change(2);
    expect(await second).toEqual({ done: false, value: 2 });
    change(LAST);
    expect(await states.next()).toEqual({ done: false, value: LAST });
    expect(await states.next()).toEqual({ done: true, value: undefined });
    expectNothingLeft();
  });

  test('is not shown again while it stays the same, however often it is said to have changed', async () => {
    const states = watchPresent();
    await states.next();
    const shown: unknown[] = [];
    const second = states.next().then((state) => shown.push(state.value));
    for (let i = 0; i < 5; i++) {
      change(1);
      await vi.advanceTimersByTimeAsync(0);
    }
    expect([shown, looks]).toEqual([[], 6]);
    change(2);
    await second;
    expect(shown).toEqual([2]);
  });

  test('is not looked at for a reader that asks for nothing, who then gets the newest state and none in between', async () => {
    const states = watchPresent();
    await states.next();
    for (let state = 2; state <= 50; state++) change(state);
    await vi.advanceTimersByTimeAsync(60_000);
    expect(looks).toBe(1);
    expect((await states.next()).value).toBe(50);
    expect(looks).toBe(2);
  });

  test('is looked at again after ten seconds, should the word of a change be lost', async () => {
    const states = watchPresent();
    await states.next();
    present = 2;
    const shown: unknown[] = [];
    const second = states.next().then((state) => shown.push(state.value));
    await vi.advanceTimersByTimeAsync(9_999);
    expect(shown).toEqual([]);
    await vi.advanceTimersByTimeAsync(1);
    await second;
    expect(shown).toEqual([2]);
  });

  test('changing while it is looked at is looked at once more', async () => {
    const { promise: looking, resolve: goOn } = Promise.withResolvers<void>();
    const states = watch(
      {
        look: async () => {
          const seen = present;
          if (looks++ === 0) await looking;
          return seen;
        },
        listen: (changed) => events.subscribe('changed', changed),
        fingerprint: String,
        isLast: () => false,
      },
      stop.signal,
    );
    const first = states.next();
    change(2);
    goOn();
    expect([(await first).value, (await states.next()).value]).toEqual([1, 2]);
  });
});

describe('a watch', () => {
  test('listens to nothing before its first state is asked for', () => {
    watchPresent();
    expectNothingLeft();
  });

  test.each([
    ['waits', async (states: AsyncGenerator<number>) => void states.next()],
    ['has been asked for nothing since its last state', async () => undefined],
  ])('that is aborted while it %s leaves no listener and no timer', async (_, before) => {
    const states = watchPresent();
    await states.next();
    await before(states);
    await vi.advanceTimersByTimeAsync(0);
    stop.abort();
    expect(await states.next()).toEqual({ done: true, value: undefined });
    expectNothingLeft();
  });

  test('whose first look fails says why and leaves nothing', async () => {
    failure = new DatabaseSilent();
    await expect(watchPresent().next()).rejects.toBe(failure);
    expectNothingLeft();
  });

  test('outlives a database that goes away and comes back', async () => {
    const states = watchPresent();
    await states.next();
    const second = states.next();
    failure = new DatabaseSilent();
    change(2);
    await vi.advanceTimersByTimeAsync(0);
    failure = null;
    await vi.advanceTimersByTimeAsync(10_000);
    expect((await second).value).toBe(2);
  });

  test('ends with a defect, and leaves nothing', async () => {
    const states = watchPresent();
    await states.next();
    const second = states.next();
    failure = new Error('a defect');
    change(2);
    await expect(second).rejects.toBe(failure);
    expectNothingLeft();
  });
});
