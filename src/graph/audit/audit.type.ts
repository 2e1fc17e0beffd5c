import { GraphQLJSONObject } from 'graphql-scalars';
import { Field, ID, ObjectType } from 'type-graphql';
import { connectionOf } from '../connection.ts';
import { DateTimeScalar } from '../scalars.ts';

@ObjectType('AuditEntry', { description: 'One change that somebody made. It never changes.', simpleResolvers: true })
export class AuditEntryInfo {
  @Field(() => ID, { description: 'The id of the entry.' })
  id!: string;

  @Field(() => DateTimeScalar, { description: 'When it was made.' })
  at!: Date;

  @Field(() => ID, {
    nullable: true,
    description: 'The account that made it; null for the program itself, such as from the command line.',
  })
  accountId!: string | null;

  @Field(() => ID, { nullable: true, description: 'The key it was made with.' })
  keyId!: string | null;

  @Field(() => String, { description: 'What was done: the name of the mutation.' })
  action!: string;

  @Field(() => ID, {
    description: 'What was changed: the id of an account or of a key, or "price-book:" and the version.',
  })
  target!: string;

  @Field(() => GraphQLJSONObject, {
    nullable: true,
    description: 'As it was before; null for what is new. Credits are texts, such as "12.5".',
  })
  before!: object | null;

  @Field(() => GraphQLJSONObject, { nullable: true, description: 'As it was afterwards. Secrets never stand here.' })
  after!: object | null;

  @Field(() => String, { nullable: true, description: 'The id of the request, which the log and the trace carry too.' })
  requestId!: string | null;
}

export const AuditEntryConnection = connectionOf(AuditEntryInfo, 'AuditEntry', 'audit entries');
