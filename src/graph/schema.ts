import { GraphQLInputObjectType, type GraphQLSchema, lexicographicSortSchema, printSchema } from 'graphql';
import { buildSchemaSync, type ContainerType, type NonEmptyArray, type PubSub } from 'type-graphql';
import { AccountResolver } from './account/account.resolver.ts';
import { AssetResolver } from './asset/asset.resolver.ts';
import { CurationResolver } from './asset/curation.resolver.ts';
import { AuditResolver } from './audit/audit.resolver.ts';
import { BudgetResolver } from './budget/budget.resolver.ts';
import { CatalogResolver } from './catalog/catalog.resolver.ts';
import { CollectionResolver } from './collection/collection.resolver.ts';
import { EstimateResolver } from './estimate/estimate.resolver.ts';
import { JobImageResolver, JobResolver } from './job/job.resolver.ts';
import { LedgerResolver } from './ledger/ledger.resolver.ts';
import { NodeResolver } from './node/node.resolver.ts';
import { OperationResolver } from './operation/operation.resolver.ts';
import { AccountListResolver } from './operator/account-list.resolver.ts';
import { ApiKeyResolver } from './operator/api-key.resolver.ts';
import { OperatorResolver } from './operator/operator.resolver.ts';
import { PriceBookResolver } from './price-book/price-book.resolver.ts';
import { REFUSAL_TYPES } from './refusal/refusal.type.ts';
import { ReportResolver } from './report/report.resolver.ts';
import { SocialResolver } from './social/social.resolver.ts';
import { UploadResolver } from './upload/upload.resolver.ts';
import { EvidenceResolver, UsageResolver } from './usage/usage.resolver.ts';
import { ONE_OF_INPUTS } from './workflow/workflow.input.ts';
import { StepEstimateResolver, WorkflowResolver } from './workflow/workflow.resolver.ts';

const RESOLVERS = [
  AccountResolver,
  AccountListResolver,
  ApiKeyResolver,
  AssetResolver,
  AuditResolver,
  BudgetResolver,
  CatalogResolver,
  CollectionResolver,
  CurationResolver,
  EstimateResolver,
  JobResolver,
  JobImageResolver,
  LedgerResolver,
  NodeResolver,
  OperationResolver,
  OperatorResolver,
  PriceBookResolver,
  ReportResolver,
  SocialResolver,
  StepEstimateResolver,
  UploadResolver,
  UsageResolver,
  EvidenceResolver,
  WorkflowResolver,
] as const;

/** One ready-made instance of every resolver class that needs anything. */
export type ResolverInstances = readonly InstanceType<(typeof RESOLVERS)[number]>[];

/** type-graphql wants a source of events of its own for subscriptions; every one of ours brings its own instead. */
const NO_PUB_SUB: PubSub = { publish: noPubSub, subscribe: noPubSub };

function noPubSub(): never {
  throw new Error('a subscription without a source of its own');
}

/** Builds the schema; with null for its resolvers it can be printed but not run. */
export function createSchema(instances: ResolverInstances | null): GraphQLSchema {
  const byClass = new Map<unknown, object>(instances?.map((instance) => [instance.constructor, instance]));
  const container: ContainerType = { get: (someClass) => byClass.get(someClass) };
  const schema = buildSchemaSync({
    resolvers: RESOLVERS as unknown as NonEmptyArray<(typeof RESOLVERS)[number]>,
    orphanedTypes: [...REFUSAL_TYPES],
    container,
    pubSub: NO_PUB_SUB,
    validate: false,
  });
  // type-graphql has no word for @oneOf; graphql 16 validates and prints it once the type says so.
  for (const name of ONE_OF_INPUTS) {
    const type = schema.getType(name);
    if (!(type instanceof GraphQLInputObjectType)) throw new Error(`${name} is not an input type`);
    type.isOneOf = true;
  }
  return schema;
}

/** The schema as it is committed: sorted, so that a change shows where it is. */
export function printedSchema(): string {
  return `${printSchema(lexicographicSortSchema(createSchema(null)))}\n`;
}
