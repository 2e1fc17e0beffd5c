import type { Tx } from './database.ts';
import { newId } from './ids.ts';

/** Who makes a change. All null: nobody who sent a request, such as the program itself. */
export interface Author {
  readonly accountId: string | null;
  readonly keyId: string | null;
  readonly requestId: string | null;
}

/** The program itself, or whoever runs it from the command line. */
export const THE_PROGRAM: Author = { accountId: null, keyId: null, requestId: null };

/** What was changed, in plain JSON; null before for what is new. Nothing secret may stand in it. */
export interface Change {
  readonly action: string;
  /** The id of what was changed. */
  readonly target: string;
  readonly before: Readonly<Record<string, unknown>> | null;
  readonly after: Readonly<Record<string, unknown>> | null;
}

export type AuditTables = {
  audit_entries: {
    id: string;
    at: Date;
    account_id: string | null;
    key_id: string | null;
    action: string;
    target: string;
    before: Change['before'];
    after: Change['after'];
    request_id: string | null;
  };
};

/** Writes who changed what, in the transaction of the change itself: neither is there without the other. */
export async function recordChange(
  tx: Tx,
  { action, target, before, after }: Change,
  by: Author,
  now: Date,
): Promise<void> {
  await tx
    .withTables<AuditTables>()
    .insertInto('audit_entries')
    .values({
      id: newId('audit'),
      at: now,
      account_id: by.accountId,
      key_id: by.keyId,
      action,
      target,
      before: toJsonb(before),
      after: toJsonb(after),
      request_id: by.requestId,
    })
    .execute();
}

function toJsonb(value: Change['before']): Change['before'] {
  return value === null ? null : (JSON.stringify(value) as unknown as Change['before']);
}
