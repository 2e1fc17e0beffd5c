import { Field, ObjectType } from 'type-graphql';
import { connectionOf } from '../connection.ts';
import { Node } from '../node/node.type.ts';
import { DateTimeScalar } from '../scalars.ts';

@ObjectType({
  implements: Node,
  description: 'A named group of assets. An asset can be in many.',
  simpleResolvers: true,
})
export class Collection extends Node {
  @Field(() => String, { description: 'What it is called; no other collection of the account has that name.' })
  name!: string;

  @Field(() => DateTimeScalar, { description: 'When it was made.' })
  createdAt!: Date;
}

export const CollectionConnection = connectionOf(Collection, 'Collection', 'collections');
