/* eslint-disable */
import * as types from './graphql.ts';
import type { TypedDocumentNode as DocumentNode } from '@graphql-typed-document-node/core';

/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "\n  fragment RefusalParts on Refusal {\n    __typename\n    message\n    ... on CapExceeded { cap creditsLimit spent required resetsAt }\n    ... on InsufficientCredits { required available short resetsAt }\n    ... on ModelRetired { model replacedBy since }\n    ... on ProviderUnavailable { provider retryAt }\n    ... on QuoteInvalid { reason }\n    ... on RateLimited { limit resetsAt }\n    ... on StorageFull { usedBytes bytesLimit requiredTier }\n    ... on TierTooLow { tier requiredTier feature }\n    ... on TooManyImages { requested limit requiredTier }\n    ... on TooManyJobs { open limit }\n    ... on Unpriced { operation priceVersion }\n    ... on UnsupportedOption { option value supported }\n    ... on UnsupportedSize { requestedSize { width height } allowed }\n    ... on UnsupportedSource { source { width height } fits { width height } allowed }\n  }\n": typeof types.RefusalPartsFragmentDoc,
    "\n  fragment PriceParts on Estimate {\n    credits\n    quote\n    quoteExpiresAt\n    balanceAfter\n    affordableCount\n    lines { label quantity unitCredits credits }\n    preflight { ok refusals { ...RefusalParts } }\n  }\n": typeof types.PricePartsFragmentDoc,
    "\n  fragment PictureParts on Asset { id url width height prompt title tags cost parent { id } collections { id name } }\n": typeof types.PicturePartsFragmentDoc,
    "\n  fragment JobParts on Job {\n    id\n    status\n    images { id status failure { code message } asset { ...PictureParts } }\n    budget { id left }\n    receipt { quoted held captured released settled entries { kind bucket amount } }\n  }\n": typeof types.JobPartsFragmentDoc,
    "\n  fragment ResultParts on SubmissionResult {\n    __typename\n    ... on Submission { replayed job { ...JobParts } }\n    ... on Reused { saved assets { ...PictureParts } }\n    ... on Refused { refusals { ...RefusalParts } estimate { ...PriceParts } }\n  }\n": typeof types.ResultPartsFragmentDoc,
    "\n  query Estimate($input: GenerateInput!) { estimateGenerate(input: $input) { ...PriceParts } }\n": typeof types.EstimateDocument,
    "\n  query EstimateEdit($image: ID!, $edit: EditInput!) { estimateEdit(image: $image, edit: $edit) { ...PriceParts } }\n": typeof types.EstimateEditDocument,
    "\n  mutation Generate($input: GenerateInput!, $quote: String, $key: String!, $budget: ID) {\n    generate(input: $input, quote: $quote, idempotencyKey: $key, budget: $budget) { ...ResultParts }\n  }\n": typeof types.GenerateDocument,
    "\n  mutation Edit($image: ID!, $edit: EditInput!, $quote: String, $key: String!) {\n    editImage(image: $image, edit: $edit, quote: $quote, idempotencyKey: $key) { ...ResultParts }\n  }\n": typeof types.EditDocument,
    "\n  subscription WatchJob($id: ID!) { job(id: $id) { ...JobParts } }\n": typeof types.WatchJobDocument,
    "\n  mutation Tag($assets: [ID!]!, $add: [String!]!) { tagAssets(assets: $assets, add: $add) { ...PictureParts } }\n": typeof types.TagDocument,
    "\n  query Find($filter: AssetFilterInput!, $first: Int!) {\n    assets(filter: $filter, first: $first) { nodes { ...PictureParts } pageInfo { hasNextPage endCursor } }\n  }\n": typeof types.FindDocument,
    "\n  mutation CreateCollection($name: String!) { createCollection(name: $name) { id name } }\n": typeof types.CreateCollectionDocument,
    "\n  mutation AddToCollection($id: ID!, $assets: [ID!]!) {\n    addToCollection(id: $id, assets: $assets) { id name count cover { id } assets { ...PictureParts } }\n  }\n": typeof types.AddToCollectionDocument,
    "\n  mutation CreateBudget($input: CreateBudgetInput!) { createBudget(input: $input) { id name cap spent left } }\n": typeof types.CreateBudgetDocument,
};
const documents: Documents = {
    "\n  fragment RefusalParts on Refusal {\n    __typename\n    message\n    ... on CapExceeded { cap creditsLimit spent required resetsAt }\n    ... on InsufficientCredits { required available short resetsAt }\n    ... on ModelRetired { model replacedBy since }\n    ... on ProviderUnavailable { provider retryAt }\n    ... on QuoteInvalid { reason }\n    ... on RateLimited { limit resetsAt }\n    ... on StorageFull { usedBytes bytesLimit requiredTier }\n    ... on TierTooLow { tier requiredTier feature }\n    ... on TooManyImages { requested limit requiredTier }\n    ... on TooManyJobs { open limit }\n    ... on Unpriced { operation priceVersion }\n    ... on UnsupportedOption { option value supported }\n    ... on UnsupportedSize { requestedSize { width height } allowed }\n    ... on UnsupportedSource { source { width height } fits { width height } allowed }\n  }\n": types.RefusalPartsFragmentDoc,
    "\n  fragment PriceParts on Estimate {\n    credits\n    quote\n    quoteExpiresAt\n    balanceAfter\n    affordableCount\n    lines { label quantity unitCredits credits }\n    preflight { ok refusals { ...RefusalParts } }\n  }\n": types.PricePartsFragmentDoc,
    "\n  fragment PictureParts on Asset { id url width height prompt title tags cost parent { id } collections { id name } }\n": types.PicturePartsFragmentDoc,
    "\n  fragment JobParts on Job {\n    id\n    status\n    images { id status failure { code message } asset { ...PictureParts } }\n    budget { id left }\n    receipt { quoted held captured released settled entries { kind bucket amount } }\n  }\n": types.JobPartsFragmentDoc,
    "\n  fragment ResultParts on SubmissionResult {\n    __typename\n    ... on Submission { replayed job { ...JobParts } }\n    ... on Reused { saved assets { ...PictureParts } }\n    ... on Refused { refusals { ...RefusalParts } estimate { ...PriceParts } }\n  }\n": types.ResultPartsFragmentDoc,
    "\n  query Estimate($input: GenerateInput!) { estimateGenerate(input: $input) { ...PriceParts } }\n": types.EstimateDocument,
    "\n  query EstimateEdit($image: ID!, $edit: EditInput!) { estimateEdit(image: $image, edit: $edit) { ...PriceParts } }\n": types.EstimateEditDocument,
    "\n  mutation Generate($input: GenerateInput!, $quote: String, $key: String!, $budget: ID) {\n    generate(input: $input, quote: $quote, idempotencyKey: $key, budget: $budget) { ...ResultParts }\n  }\n": types.GenerateDocument,
    "\n  mutation Edit($image: ID!, $edit: EditInput!, $quote: String, $key: String!) {\n    editImage(image: $image, edit: $edit, quote: $quote, idempotencyKey: $key) { ...ResultParts }\n  }\n": types.EditDocument,
    "\n  subscription WatchJob($id: ID!) { job(id: $id) { ...JobParts } }\n": types.WatchJobDocument,
    "\n  mutation Tag($assets: [ID!]!, $add: [String!]!) { tagAssets(assets: $assets, add: $add) { ...PictureParts } }\n": types.TagDocument,
    "\n  query Find($filter: AssetFilterInput!, $first: Int!) {\n    assets(filter: $filter, first: $first) { nodes { ...PictureParts } pageInfo { hasNextPage endCursor } }\n  }\n": types.FindDocument,
    "\n  mutation CreateCollection($name: String!) { createCollection(name: $name) { id name } }\n": types.CreateCollectionDocument,
    "\n  mutation AddToCollection($id: ID!, $assets: [ID!]!) {\n    addToCollection(id: $id, assets: $assets) { id name count cover { id } assets { ...PictureParts } }\n  }\n": types.AddToCollectionDocument,
    "\n  mutation CreateBudget($input: CreateBudgetInput!) { createBudget(input: $input) { id name cap spent left } }\n": types.CreateBudgetDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 *
 *
 * @example
 * ```ts
 * const query = graphql(`query GetUser($id: ID!) { user(id: $id) { name } }`);
 * ```
 *
 * The query argument is unknown!
 * Please regenerate the types.
 */
export function graphql(source: string): unknown;

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment RefusalParts on Refusal {\n    __typename\n    message\n    ... on CapExceeded { cap creditsLimit spent required resetsAt }\n    ... on InsufficientCredits { required available short resetsAt }\n    ... on ModelRetired { model replacedBy since }\n    ... on ProviderUnavailable { provider retryAt }\n    ... on QuoteInvalid { reason }\n    ... on RateLimited { limit resetsAt }\n    ... on StorageFull { usedBytes bytesLimit requiredTier }\n    ... on TierTooLow { tier requiredTier feature }\n    ... on TooManyImages { requested limit requiredTier }\n    ... on TooManyJobs { open limit }\n    ... on Unpriced { operation priceVersion }\n    ... on UnsupportedOption { option value supported }\n    ... on UnsupportedSize { requestedSize { width height } allowed }\n    ... on UnsupportedSource { source { width height } fits { width height } allowed }\n  }\n"): (typeof documents)["\n  fragment RefusalParts on Refusal {\n    __typename\n    message\n    ... on CapExceeded { cap creditsLimit spent required resetsAt }\n    ... on InsufficientCredits { required available short resetsAt }\n    ... on ModelRetired { model replacedBy since }\n    ... on ProviderUnavailable { provider retryAt }\n    ... on QuoteInvalid { reason }\n    ... on RateLimited { limit resetsAt }\n    ... on StorageFull { usedBytes bytesLimit requiredTier }\n    ... on TierTooLow { tier requiredTier feature }\n    ... on TooManyImages { requested limit requiredTier }\n    ... on TooManyJobs { open limit }\n    ... on Unpriced { operation priceVersion }\n    ... on UnsupportedOption { option value supported }\n    ... on UnsupportedSize { requestedSize { width height } allowed }\n    ... on UnsupportedSource { source { width height } fits { width height } allowed }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment PriceParts on Estimate {\n    credits\n    quote\n    quoteExpiresAt\n    balanceAfter\n    affordableCount\n    lines { label quantity unitCredits credits }\n    preflight { ok refusals { ...RefusalParts } }\n  }\n"): (typeof documents)["\n  fragment PriceParts on Estimate {\n    credits\n    quote\n    quoteExpiresAt\n    balanceAfter\n    affordableCount\n    lines { label quantity unitCredits credits }\n    preflight { ok refusals { ...RefusalParts } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment PictureParts on Asset { id url width height prompt title tags cost parent { id } collections { id name } }\n"): (typeof documents)["\n  fragment PictureParts on Asset { id url width height prompt title tags cost parent { id } collections { id name } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment JobParts on Job {\n    id\n    status\n    images { id status failure { code message } asset { ...PictureParts } }\n    budget { id left }\n    receipt { quoted held captured released settled entries { kind bucket amount } }\n  }\n"): (typeof documents)["\n  fragment JobParts on Job {\n    id\n    status\n    images { id status failure { code message } asset { ...PictureParts } }\n    budget { id left }\n    receipt { quoted held captured released settled entries { kind bucket amount } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  fragment ResultParts on SubmissionResult {\n    __typename\n    ... on Submission { replayed job { ...JobParts } }\n    ... on Reused { saved assets { ...PictureParts } }\n    ... on Refused { refusals { ...RefusalParts } estimate { ...PriceParts } }\n  }\n"): (typeof documents)["\n  fragment ResultParts on SubmissionResult {\n    __typename\n    ... on Submission { replayed job { ...JobParts } }\n    ... on Reused { saved assets { ...PictureParts } }\n    ... on Refused { refusals { ...RefusalParts } estimate { ...PriceParts } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Estimate($input: GenerateInput!) { estimateGenerate(input: $input) { ...PriceParts } }\n"): (typeof documents)["\n  query Estimate($input: GenerateInput!) { estimateGenerate(input: $input) { ...PriceParts } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query EstimateEdit($image: ID!, $edit: EditInput!) { estimateEdit(image: $image, edit: $edit) { ...PriceParts } }\n"): (typeof documents)["\n  query EstimateEdit($image: ID!, $edit: EditInput!) { estimateEdit(image: $image, edit: $edit) { ...PriceParts } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation Generate($input: GenerateInput!, $quote: String, $key: String!, $budget: ID) {\n    generate(input: $input, quote: $quote, idempotencyKey: $key, budget: $budget) { ...ResultParts }\n  }\n"): (typeof documents)["\n  mutation Generate($input: GenerateInput!, $quote: String, $key: String!, $budget: ID) {\n    generate(input: $input, quote: $quote, idempotencyKey: $key, budget: $budget) { ...ResultParts }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation Edit($image: ID!, $edit: EditInput!, $quote: String, $key: String!) {\n    editImage(image: $image, edit: $edit, quote: $quote, idempotencyKey: $key) { ...ResultParts }\n  }\n"): (typeof documents)["\n  mutation Edit($image: ID!, $edit: EditInput!, $quote: String, $key: String!) {\n    editImage(image: $image, edit: $edit, quote: $quote, idempotencyKey: $key) { ...ResultParts }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription WatchJob($id: ID!) { job(id: $id) { ...JobParts } }\n"): (typeof documents)["\n  subscription WatchJob($id: ID!) { job(id: $id) { ...JobParts } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation Tag($assets: [ID!]!, $add: [String!]!) { tagAssets(assets: $assets, add: $add) { ...PictureParts } }\n"): (typeof documents)["\n  mutation Tag($assets: [ID!]!, $add: [String!]!) { tagAssets(assets: $assets, add: $add) { ...PictureParts } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Find($filter: AssetFilterInput!, $first: Int!) {\n    assets(filter: $filter, first: $first) { nodes { ...PictureParts } pageInfo { hasNextPage endCursor } }\n  }\n"): (typeof documents)["\n  query Find($filter: AssetFilterInput!, $first: Int!) {\n    assets(filter: $filter, first: $first) { nodes { ...PictureParts } pageInfo { hasNextPage endCursor } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateCollection($name: String!) { createCollection(name: $name) { id name } }\n"): (typeof documents)["\n  mutation CreateCollection($name: String!) { createCollection(name: $name) { id name } }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation AddToCollection($id: ID!, $assets: [ID!]!) {\n    addToCollection(id: $id, assets: $assets) { id name count cover { id } assets { ...PictureParts } }\n  }\n"): (typeof documents)["\n  mutation AddToCollection($id: ID!, $assets: [ID!]!) {\n    addToCollection(id: $id, assets: $assets) { id name count cover { id } assets { ...PictureParts } }\n  }\n"];
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation CreateBudget($input: CreateBudgetInput!) { createBudget(input: $input) { id name cap spent left } }\n"): (typeof documents)["\n  mutation CreateBudget($input: CreateBudgetInput!) { createBudget(input: $input) { id name cap spent left } }\n"];

export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}

export type DocumentType<TDocumentNode extends DocumentNode<any, any>> = TDocumentNode extends DocumentNode<  infer TType,  any>  ? TType  : never;