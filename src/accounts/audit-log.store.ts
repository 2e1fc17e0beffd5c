import { type Generated, sql } from 'kysely';
import type { AuditTables, Author, Change } from '../platform/audit-trail.ts';
import type { Db } from '../platform/database.ts';

type Row = AuditTables['audit_entries'] & { position: Generated<bigint> };

export interface AuditEntry extends Author, Change {
  readonly id: string;
  readonly at: Date;
}

export class AuditLogStore {
  readonly #db;

  constructor(db: Db) {
    this.#db = db.withTables<{ audit_entries: Row }>();
  }

  /** Newest first, after the entry `after` when given. */
  page(limit: number, after: string | null, target: string | null): Promise<AuditEntry[]> {
    return this.#db
      .selectFrom('audit_entries')
      .select(['id', 'at', 'action', 'target', 'before', 'after'])
      .select(['account_id as accountId', 'key_id as keyId', 'request_id as requestId'])
      .$if(target !== null, (query) => query.where('target', '=', target))
      .$if(after !== null, (query) =>
        query.where('position', '<', sql<bigint>`(select position from audit_entries where id = ${after})`),
      )
      .orderBy('position', 'desc')
      .limit(limit)
      .execute();
  }
}
