import { sql } from 'kysely';
import type { HoldRequest } from '../../../src/credits/balance.ts';
import { BudgetsStore } from '../../../src/credits/budgets.store.ts';
import { Credits, HoldRefused } from '../../../src/credits/credits.service.ts';
import { CreditsStore } from '../../../src/credits/credits.store.ts';
import type { BalanceRow, CreditTables, HoldRow } from '../../../src/credits/credits.tables.ts';
import { HoldsStore } from '../../../src/credits/holds.store.ts';
import type { Posting } from '../../../src/credits/posting.ts';
import { IdempotencyStore, type KeyClaim, type KeyHolder } from '../../../src/jobs/idempotency.store.ts';
import { type Db, inTransaction, type Tx } from '../../../src/platform/database.ts';
import { newId } from '../../../src/platform/ids.ts';
import { OPENED } from '../ledger.ts';
import { type Answer, claimOf, type Gap, holdOf, Subject, type Submitted } from './subject.ts';

// Each of these is our part with one thing wrong, and that thing is what somebody might well write.

type Booked = Parameters<CreditsStore['book']>;
type Granted = Parameters<Credits['grant']>;
type Settled = Parameters<Credits['settle']>;

/** Takes a fee of one with every capture and forgets whom it comes from. */
export class OneSidedFee extends CreditsStore {
  override async book(...booked: Booked): Promise<void> {
    const [tx, row, bookings] = booked;
    await super.book(...booked);
    if (!bookings.some(({ kind }) => kind === 'CAPTURE')) return;
    await sql`
      insert into ledger_entries (transaction_id, sequence, account_id, bucket, amount, balance_after)
      select id, 99, account_id, 'captured', 1, 1 from ledger_transactions
      where account_id = ${row.account_id} and kind = 'CAPTURE' order by position desc limit 1`.execute(tx);
  }
}

/** Raises the first top-up of an account where it should write another. Needs a ledger without its triggers. */
export class MergedTopUps extends CreditsStore {
  override async book(...booked: Booked): Promise<void> {
    const [tx, row, bookings, also] = booked;
    const amount = bookings.flatMap(({ postings }) => postings).find(({ bucket }) => bucket === 'topup')?.amount ?? 0n;
    const isFirst = row.topup === 0n;
    if (bookings[0]?.kind !== 'GRANT' || amount === 0n || isFirst) return super.book(...booked);
    await sql`
      update ledger_entries set amount = amount + sign(amount) * ${amount}::bigint where account_id = ${row.account_id}
        and transaction_id = (select transaction_id from ledger_entries
          where account_id = ${row.account_id} and bucket = 'topup' limit 1)`.execute(tx);
    const moved = { topup: row.topup + amount, issued: row.issued - amount };
    await this.updateBalance(tx, row.account_id, { ...moved, ...also });
  }
}

/** Corrects a balance by hand when it gives a top-up, and writes no entry. */
export class BalanceWithoutEntry extends CreditsStore {
  override book(tx: Tx, row: BalanceRow, bookings: Booked[2], also: Booked[3], now: Date): Promise<void> {
    const postings = bookings.flatMap((booking) => booking.postings);
    const isTopUp = bookings[0]?.kind === 'GRANT' && postings.some(({ bucket }) => bucket === 'topup');
    if (!isTopUp) return super.book(tx, row, bookings, also, now);
    const moved = Object.fromEntries(postings.map(({ bucket, amount }) => [bucket, row[bucket] + amount]));
    return super.book(tx, row, [], { ...moved, ...also }, now);
  }
}

/** Counts in credits with a fraction, and cuts off what is left when it comes back to thousandths. */
export class FloatAmounts extends CreditsStore {
  override book(tx: Tx, row: BalanceRow, bookings: Booked[2], also: Booked[3], now: Date): Promise<void> {
    const throughFloat = (posting: Posting) => {
      const credits = Number(posting.amount) / 1_000;
      return { ...posting, amount: BigInt(Math.trunc(credits * 1_000)) };
    };
    const inexact = bookings.map((booking) => ({ ...booking, postings: booking.postings.map(throughFloat) }));
    return super.book(tx, row, inexact, also, now);
  }
}

/** Writes the end of a hold without saying whose end it is. */
export class NamelessEndings extends CreditsStore {
  override book(tx: Tx, row: BalanceRow, bookings: Booked[2], also: Booked[3], now: Date): Promise<void> {
    const nameless = bookings.map(({ hold: _, ...booking }) => booking);
    return super.book(tx, row, nameless, also, now);
  }
}

/** Reads the balance that it is about to overwrite and does not lock it. */
export class UnlockedBalance extends CreditsStore {
  constructor(
    db: Db,
    private readonly gap: Gap,
  ) {
    super(db);
  }

  override async lockBalance(tx: Tx, accountId: string): Promise<BalanceRow> {
    const row = await readBalance(tx, accountId);
    await this.gap.meet();
    return row;
  }
}

/** Ends a hold as often as it is asked to. */
export class EndlessHolds extends HoldsStore {
  override async end(tx: Tx, holdId: string, captured: bigint, now: Date): Promise<HoldRow | null> {
    const row = await tx
      .withTables<CreditTables>()
      .updateTable('credit_holds')
      .set({ captured, settled_at: now })
      .where('id', '=', holdId)
      .returningAll()
      .executeTakeFirst();
    return row ?? null;
  }
}

/** Looks whether there is enough, and then writes what it has worked out from what it saw. */
export class ReadsThenWrites extends HoldsStore {
  constructor(
    db: Db,
    private readonly gap: Gap,
  ) {
    super(db);
  }

  override async take(tx: Tx, request: HoldRequest, transactionId: string, now: Date): Promise<BalanceRow | null> {
    const { accountId, amount, holdId, jobId, priceVersion } = request;
    const row = await readBalance(tx, accountId);
    if (row.monthly < amount) return null;
    await this.gap.meet();
    const [monthly, held] = [row.monthly - amount, row.held + amount];
    await sql`
      update credit_balances set monthly = ${monthly}, held = ${held}, open_holds = ${row.open_holds + 1}
      where account_id = ${accountId}`.execute(tx);
    await sql`
      insert into credit_holds (id, account_id, job_id, amount, from_monthly, from_topup, from_owed, free_images,
        period_starts_at, price_version, created_at)
      values (${holdId}, ${accountId}, ${jobId}, ${amount}, ${amount}, 0, 0, '{}', ${row.period_starts_at},
        ${priceVersion}, ${now})`.execute(tx);
    await sql`
      insert into ledger_transactions (id, account_id, kind, reason, hold_id, job_id, price_version, created_at)
      values (${transactionId}, ${accountId}, 'HOLD', 'Set aside for a job', ${holdId}, ${jobId}, ${priceVersion}, ${now})`.execute(
      tx,
    );
    await sql`
      insert into ledger_entries (transaction_id, sequence, account_id, bucket, amount, balance_after)
      values (${transactionId}, 1, ${accountId}, 'monthly', ${-amount}, ${monthly}),
        (${transactionId}, 2, ${accountId}, 'held', ${amount}, ${held})`.execute(tx);
    return { ...row, monthly, held };
  }
}

/** Takes a hold out of the books when nothing of it is captured. Needs a ledger without its triggers. */
export class DeletedReversals extends Credits {
  override async settle(...settled: Settled): ReturnType<Credits['settle']> {
    const [tx, holdId, captures] = settled;
    if (captures.length > 0) return super.settle(...settled);
    const { rows } = await sql<{ account_id: string; amount: bigint }>`
      delete from credit_holds where id = ${holdId} returning account_id, amount`.execute(tx);
    const [hold] = rows;
    if (!hold) return null;
    const entries = sql`
      delete from ledger_entries where transaction_id in (select id from ledger_transactions where hold_id = ${holdId})
      returning bucket, amount`;
    await sql`
      with undone as (${entries}), back as (
        select coalesce(sum(amount) filter (where bucket = 'monthly'), 0)::bigint as monthly,
          coalesce(sum(amount) filter (where bucket = 'topup'), 0)::bigint as topup from undone)
      update credit_balances b set monthly = b.monthly - back.monthly, topup = b.topup - back.topup,
        held = b.held - ${hold.amount}, spent = b.spent - ${hold.amount}, open_holds = open_holds - 1
      from back where account_id = ${hold.account_id}`.execute(tx);
    await sql`delete from ledger_transactions where hold_id = ${holdId}`.execute(tx);
    return { captured: 0n, released: hold.amount };
  }
}

/** Writes the transaction of a grant, which takes its position, and only then waits for its turn on the balance. */
export class PositionBeforeLock extends Credits {
  constructor(
    db: Db,
    private readonly balances: CreditsStore,
    private readonly gap: Gap,
  ) {
    super(db, balances, new HoldsStore(db), new BudgetsStore());
  }

  override async grant(...granted: Granted): Promise<void> {
    const [tx, accountId, bucket, amount, reason, now] = granted;
    if (bucket === 'monthly') return super.grant(...granted);
    const id = newId('tx');
    await sql`
      insert into ledger_transactions (id, account_id, kind, reason, created_at)
      values (${id}, ${accountId}, 'GRANT', ${reason}, ${now})`.execute(tx);
    await this.gap.waitIfFirst();
    const row = await this.balances.lockBalance(tx, accountId);
    // The one that waits is behind this lock now, and so behind this grant, although its position is the earlier.
    this.gap.pass();
    const [topup, issued] = [row.topup + amount, row.issued - amount];
    await sql`
      insert into ledger_entries (transaction_id, sequence, account_id, bucket, amount, balance_after)
      values (${id}, 1, ${accountId}, 'issued', ${-amount}, ${issued}),
        (${id}, 2, ${accountId}, 'topup', ${amount}, ${topup})`.execute(tx);
    await this.balances.updateBalance(tx, accountId, { topup, issued });
  }
}

/** Forgets that a key was ever used. */
export class ForgetfulKeys extends IdempotencyStore {
  override async claim(): Promise<null> {
    return null;
  }
}

/** Looks whether a key is free, and writes it if it was when it looked. */
export class ChecksThenClaims extends IdempotencyStore {
  constructor(
    db: Db,
    private readonly gap: Gap,
  ) {
    super(db);
  }

  override async claim(tx: Tx, { accountId, key, inputHash, jobId, claimedAt }: KeyClaim): Promise<KeyHolder | null> {
    const { rows } = await sql<KeyHolder>`
      select job_id as "jobId", input_hash as "inputHash" from idempotency_keys
      where account_id = ${accountId} and key = ${key}`.execute(tx);
    if (rows[0]) return rows[0];
    await this.gap.meet();
    await sql`
      insert into idempotency_keys (account_id, key, input_hash, job_id, created_at)
      values (${accountId}, ${key}, ${inputHash}, ${jobId}, ${claimedAt})
      on conflict (account_id, key) do update set job_id = excluded.job_id`.execute(tx);
    return null;
  }
}

/** Claims the key in a transaction of its own, before it is known what becomes of the submission. */
export class ClaimedApart extends Subject {
  override async submit(submitted: Submitted): Promise<Answer> {
    const jobId = newId('job');
    const claim = { ...claimOf(submitted), jobId, claimedAt: OPENED };
    const holder = await inTransaction(this.db, (tx) => this.keys.claim(tx, claim));
    if (holder) return { kind: 'duplicate', jobId: holder.jobId };
    await this.claimed();
    try {
      const hold = holdOf(submitted, jobId);
      await inTransaction(this.db, (tx) => this.ledger.credits.hold(tx, hold, OPENED));
      return { kind: 'applied', jobId };
    } catch (error) {
      if (!(error instanceof HoldRefused)) throw error;
      await this.refused(submitted);
      return { kind: 'refused', refusal: error.refusal };
    }
  }

  protected async claimed(): Promise<void> {}

  protected async refused(_submitted: Submitted): Promise<void> {}
}

/** The same, but gives the key back after a refusal: until then others are told that it stands for something. */
export class ClaimWithdrawn extends ClaimedApart {
  constructor(
    db: Db,
    private readonly told: Gap,
  ) {
    super(db, { gap: told });
  }

  override async submit(submitted: Submitted): Promise<Answer> {
    const answer = await super.submit(submitted);
    if (answer.kind === 'duplicate') this.told.pass();
    return answer;
  }

  protected override claimed(): Promise<void> {
    return this.told.waitIfFirst();
  }

  protected override async refused({ accountId, key }: Submitted): Promise<void> {
    await sql`delete from idempotency_keys where account_id = ${accountId} and key = ${key}`.execute(this.db);
  }
}

function readBalance(tx: Tx, accountId: string): Promise<BalanceRow> {
  return tx
    .withTables<CreditTables>()
    .selectFrom('credit_balances')
    .selectAll()
    .where('account_id', '=', accountId)
    .executeTakeFirstOrThrow();
}
