import { Arg, Ctx, ID, Int, Query, Resolver } from 'type-graphql';
import { AUDIT_LIST, type AuditLog } from '../../accounts/audit-log.service.ts';
import { writeCursor } from '../../platform/cursor.ts';
import { toConnection } from '../connection.ts';
import { type GraphContext, operatorOf } from '../context.ts';
import { AuditEntryConnection } from './audit.type.ts';

@Resolver()
export class AuditResolver {
  constructor(private readonly log: AuditLog) {}

  @Query(() => AuditEntryConnection, {
    description:
      'Who changed prices, tiers, credits, accounts and keys, newest first. Written together with each change: what failed or was refused does not stand here. For operators.',
  })
  async auditLog(
    @Ctx() context: GraphContext,
    @Arg('first', () => Int, { defaultValue: 20, description: 'How many, 1 to 100.' }) first: number,
    @Arg('after', () => String, { nullable: true, description: 'Only those after this cursor.' }) after: string | null,
    @Arg('target', () => ID, {
      nullable: true,
      description: 'Only changes of this: the id of an account or key, or "price-book:" and a version.',
    })
    target: string | null,
  ) {
    operatorOf(context);
    const page = await this.log.page({ first, after: after ?? null, target: target ?? null });
    return toConnection(page, after, ({ id }) => writeCursor(AUDIT_LIST, id));
  }
}
