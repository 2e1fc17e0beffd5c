import { checkPageSize, readCursor } from '../platform/cursor.ts';
import type { AuditEntry, AuditLogStore } from './audit-log.store.ts';

/** The name of the list, which its cursors carry. */
export const AUDIT_LIST = 'audit';

/** Tells who changed what. Entries are written with the changes themselves, and never changed. */
export class AuditLog {
  constructor(private readonly store: AuditLogStore) {}

  /**
   * A page of the entries, newest first; of one target alone when given.
   * @throws BAD_USER_INPUT for a page size out of range or a cursor that this list did not give out.
   */
  async page(page: {
    first: number;
    after: string | null;
    target: string | null;
  }): Promise<{ items: AuditEntry[]; hasNextPage: boolean }> {
    checkPageSize(page.first);
    const after = page.after === null ? null : readCursor(AUDIT_LIST, 'audit', page.after);
    const found = await this.store.page(page.first + 1, after, page.target);
    return { items: found.slice(0, page.first), hasNextPage: found.length > page.first };
  }
}
