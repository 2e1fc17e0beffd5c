import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { type Database, inTransaction, pingDatabase } from '../../src/platform/database.ts';
import { createLog } from '../../src/platform/log.ts';
import { DatabaseQueue } from '../../src/platform/queue.ts';
import { ENGINES, freshDatabase } from '../support/databases.ts';

const SOON = { interval: 5, timeout: 10_000 };
/** Well under the polling of the queue, so that only a notification can be as quick. */
const QUICK_MS = 1_000;

describe.each(ENGINES)('the work queue on %s', (engine) => {
  let database: Database & { readonly url: string | null };
  const queues: DatabaseQueue[] = [];
  let ids = 0;
  /** Ids of this test alone: what an earlier one left behind is not meant. */
  let mine: (name: string) => string;
  beforeAll(async () => {
    database = await freshDatabase(engine);
  });
  afterAll(() => database.close());
  beforeEach(() => {
    const run = ++ids;
    mine = (name) => `${run}-${name}`;
  });
  afterEach(async () => {
    for (const queue of queues.splice(0)) await queue.stop();
  });

  const start = async () => {
    const queue = new DatabaseQueue(database, database.url, createLog('silent'));
    queues.push(queue);
    await queue.start();
    return queue;
  };
  /** What the queue hands out, as it comes. */
  const working = async (queue: DatabaseQueue, handled: string[] = []) => {
    await queue.work(async (batch) => {
      handled.push(...batch);
    });
    return handled;
  };

  test('hands out what was enqueued by itself, soon', async () => {
    const queue = await start();
    const handled = await working(queue);
    const at = performance.now();
    await queue.enqueue([{ id: mine('a'), priority: 0 }], null);
    await expect.poll(() => handled, SOON).toEqual([mine('a')]);
    expect(performance.now() - at).toBeLessThan(QUICK_MS);
  });

  test('hands out what was enqueued in a transaction when that has committed, soon, and not before', async () => {
    const queue = await start();
    const handled = await working(queue);
    await inTransaction(database.db, async (tx) => {
      await queue.enqueue([{ id: mine('a'), priority: 0 }], tx);
      await pingDatabase(tx);
      expect(handled).toEqual([]);
    });
    const at = performance.now();
    await expect.poll(() => handled, SOON).toEqual([mine('a')]);
    expect(performance.now() - at).toBeLessThan(QUICK_MS);
  });

  test('never hands out what was enqueued in a transaction that was undone', async () => {
    const queue = await start();
    const handled = await working(queue);
    const undone = inTransaction(database.db, async (tx) => {
      await queue.enqueue([{ id: mine('undone'), priority: 9 }], tx);
      throw new Error('undone');
    });
    await expect(undone).rejects.toThrow('undone');
    await queue.enqueue([{ id: mine('kept'), priority: 0 }], null);
    await expect.poll(() => handled, SOON).toEqual([mine('kept')]);
  });

  test('hands out the higher priority first', async () => {
    const queue = await start();
    const order = [0, 3, 1, 2, 0, 3];
    for (const [index, priority] of order.entries())
      await queue.enqueue([{ id: mine(`${priority}-${index}`), priority: priority }], null);
    const handled = await working(queue);
    await expect.poll(() => handled.length, SOON).toBe(order.length);
    expect(handled.map((id) => id.split('-')[1])).toEqual(['3', '3', '2', '1', '0', '0']);
  });

  test('keeps what nobody has taken until somebody works again', async () => {
    const first = await start();
    await first.enqueue([{ id: mine('a'), priority: 0 }], null);
    await first.stop();
    const handled = await working(await start());
    await expect.poll(() => handled, SOON).toEqual([mine('a')]);
  });

  test('goes on after a handler has failed, and does not hand that work out again: whoever lost it looks for it', async () => {
    const queue = await start();
    const handled: string[] = [];
    await queue.work(async (batch) => {
      handled.push(...batch);
      if (batch.includes(mine('bad'))) throw new Error('the handler failed');
    });
    await queue.enqueue([{ id: mine('bad'), priority: 0 }], null);
    await expect.poll(() => handled, SOON).toEqual([mine('bad')]);
    await queue.enqueue([{ id: mine('good'), priority: 0 }], null);
    await expect.poll(() => handled, SOON).toEqual([mine('bad'), mine('good')]);
  });

  test('a hundred submissions at once are all handed out', async () => {
    const queue = await start();
    const handled = await working(queue);
    const names = Array.from({ length: 100 }, (_, index) => mine(`${index}`));
    await Promise.all(
      names.map((id) => inTransaction(database.db, (tx) => queue.enqueue([{ id: id, priority: 0 }], tx))),
    );
    await expect.poll(() => [...handled].sort(), SOON).toEqual([...names].sort());
  });

  test.runIf(engine === 'postgres')(
    'several processes start at once, and share the work without taking any twice',
    async () => {
      const started = await Promise.all(Array.from({ length: 3 }, start));
      const handled: string[] = [];
      for (const queue of started) await working(queue, handled);
      const names = Array.from({ length: 60 }, (_, index) => mine(`${index}`));
      for (const [index, id] of names.entries()) await started[index % 3]?.enqueue([{ id: id, priority: 0 }], null);
      await expect.poll(() => [...handled].sort(), SOON).toEqual([...names].sort());
    },
  );
});
