import { Field, ID, InterfaceType } from 'type-graphql';
import { idKind } from '../../platform/ids.ts';

const TYPES: Record<string, string> = {
  account: 'Viewer',
  job: 'Job',
  asset: 'Asset',
  collection: 'Collection',
  budget: 'Budget',
};

@InterfaceType({
  description: 'Anything with an id of its own. The id begins with its kind, such as `job_`.',
  resolveType: (value: { id: string }) => TYPES[idKind(value.id) ?? ''],
})
export abstract class Node {
  @Field(() => ID, { description: 'The id, unique across everything.' })
  id!: string;
}
