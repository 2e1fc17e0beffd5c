import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Database, inTransaction } from '../../src/platform/database.ts';
import { MarginReportStore } from '../../src/usage/margin-report.store.ts';
import { PricePreviewStore } from '../../src/usage/price-preview.store.ts';
import { ENGINES, freshDatabase } from '../support/databases.ts';

const IMAGES = 3_000;
const ACCOUNTS = 100;
const SINCE = new Date('2026-03-01T00:00:00Z');

describe.each(ENGINES)('reports on %s, of many images', (engine) => {
  let database: Database;
  beforeAll(async () => {
    database = await freshDatabase(engine);
    await inTransaction(database.db, async (tx) => {
      // Jobs without their holds and balances: only what the reports read.
      await sql`set local session_replication_role = replica`.execute(tx);
      await sql`
        insert into jobs (id, account_id, operation, status, request, hold_id, price_version, credits, priority, running_max, created_at, finished_at, woken_at)
        select 'job' || n, 'account' || n % ${ACCOUNTS}::int, 'GENERATE', 'SUCCEEDED',
          jsonb_build_object('operation', 'GENERATE', 'prompt', 'x', 'quality', 'STANDARD', 'provider', null, 'model', null),
          'hold' || n, 1, 4000, 1, 1, ${SINCE}::timestamptz + n * interval '1 second', ${SINCE}::timestamptz, ${SINCE}::timestamptz
        from generate_series(1, ${IMAGES}::int) as n`.execute(tx);
      await sql`
        insert into job_images (id, job_id, index, step, run, status, width, height, credits, asset_id, allowance)
        select 'image' || n, 'job' || n, 0, 0, 0, 'DELIVERED', case when n % 2 = 0 then 512 else 1024 end, 512 + (n % 2) * 512,
          case when n % 10 = 0 then 0 when n % 2 = 0 then 3000 else 4000 end, 'asset' || n, case when n % 10 = 0 then 'gemini' end
        from generate_series(1, ${IMAGES}::int) as n`.execute(tx);
      await sql`
        insert into job_attempts (id, image_id, route_id, outcome, vendor_cost_micros, started_at)
        select 'attempt' || n, 'image' || n, 'huggingface/flux-dev' || case when n % 2 = 0 then '@fal-ai' else '@hf-inference' end,
          'delivered', 25000, ${SINCE}::timestamptz + n * interval '1 second' from generate_series(1, ${IMAGES}::int) as n`.execute(
        tx,
      );
      await sql`
        insert into job_attempts (id, image_id, route_id, outcome, vendor_cost_micros, started_at)
        values ('unknown', 'image1', 'huggingface/flux-dev@fal-ai', 'unknown', 7, ${SINCE}::timestamptz),
          ('open', 'image1', 'huggingface/flux-dev@fal-ai', null, null, ${SINCE}::timestamptz),
          ('before', 'image1', 'huggingface/flux-dev@fal-ai', 'unknown', 9, ${SINCE}::timestamptz - interval '1 second')`.execute(
        tx,
      );
    });
  });
  afterAll(() => database.close());

  test('a preview adds them up by what they are priced by, and finds the accounts that another price concerns', async () => {
    const store = new PricePreviewStore(database.db);
    await store.look(SINCE, IMAGES, async ({ complete, groups }, affected) => {
      const [large, small] = ['GENERATE|||STANDARD|M', 'GENERATE|||STANDARD|S'];
      const asked = { operation: 'GENERATE', quality: 'STANDARD', provider: null, model: null, edit: null, mode: null };
      expect({ complete, groups }).toEqual({
        complete: true,
        groups: [
          {
            ...asked,
            key: large,
            pixels: 1_048_576,
            images: IMAGES / 2,
            free: 0,
            credits: BigInt((IMAGES / 2) * 4000),
          },
          {
            ...asked,
            key: small,
            pixels: 262_144,
            images: IMAGES / 2,
            free: IMAGES / 10,
            credits: BigInt((IMAGES / 2 - IMAGES / 10) * 3000),
          },
        ],
      });
      const prices = (forLarge: bigint | null, forSmall: bigint | null) =>
        affected(new Map([[large, forLarge] as const, [small, forSmall] as const]));
      expect(await prices(4000n, 3000n)).toBe(0);
      expect(await prices(4001n, 3000n)).toBe(ACCOUNTS / 2);
      // Accounts that had free pictures of that size alone would pay nothing either way.
      expect(await prices(4000n, 3001n)).toBe(ACCOUNTS / 2 - ACCOUNTS / 10);
      expect(await prices(4000n, null)).toBe(ACCOUNTS / 2);
    });
  });

  test('a preview looks at the newest when there are more than it may', async () => {
    const store = new PricePreviewStore(database.db);
    await store.look(SINCE, 11, async ({ complete, groups }) => {
      expect([complete, groups.map(({ images }) => images)]).toEqual([false, [5, 6]]);
    });
  });

  test('margins are by model, whichever host, of the calls within the time', async () => {
    const store = new MarginReportStore(database.db);
    const to = new Date(SINCE.getTime() + (IMAGES + 1) * 1000);
    expect(await store.totals(SINCE, to)).toEqual([
      {
        model: 'huggingface/flux-dev',
        attempts: IMAGES + 2,
        images: IMAGES,
        freeImages: IMAGES / 10,
        captured: BigInt((IMAGES / 2) * 4000 + (IMAGES / 2 - IMAGES / 10) * 3000),
        costMicros: BigInt(IMAGES * 25_000 + 7),
        lossMicros: 7n,
      },
    ]);
  });
});
