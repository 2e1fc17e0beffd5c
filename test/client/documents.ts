import { graphql } from './generated/gql.ts';

export const REFUSAL = graphql(`
  fragment RefusalParts on Refusal {
    __typename
    message
    ... on CapExceeded { cap creditsLimit spent required resetsAt }
    ... on InsufficientCredits { required available short resetsAt }
    ... on ModelRetired { model replacedBy since }
    ... on ProviderUnavailable { provider retryAt }
    ... on QuoteInvalid { reason }
    ... on RateLimited { limit resetsAt }
    ... on StorageFull { usedBytes bytesLimit requiredTier }
    ... on TierTooLow { tier requiredTier feature }
    ... on TooManyImages { requested limit requiredTier }
    ... on TooManyJobs { open limit }
    ... on Unpriced { operation priceVersion }
    ... on UnsupportedOption { option value supported }
    ... on UnsupportedSize { requestedSize { width height } allowed }
    ... on UnsupportedSource { source { width height } fits { width height } allowed }
  }
`);

export const PRICE = graphql(`
  fragment PriceParts on Estimate {
    credits
    quote
    quoteExpiresAt
    balanceAfter
    affordableCount
    lines { label quantity unitCredits credits }
    preflight { ok refusals { ...RefusalParts } }
  }
`);

export const PICTURE = graphql(`
  fragment PictureParts on Asset { id url width height prompt title tags cost parent { id } collections { id name } }
`);

export const JOB = graphql(`
  fragment JobParts on Job {
    id
    status
    images { id status failure { code message } asset { ...PictureParts } }
    budget { id left }
    receipt { quoted held captured released settled entries { kind bucket amount } }
  }
`);

export const RESULT = graphql(`
  fragment ResultParts on SubmissionResult {
    __typename
    ... on Submission { replayed job { ...JobParts } }
    ... on Reused { saved assets { ...PictureParts } }
    ... on Refused { refusals { ...RefusalParts } estimate { ...PriceParts } }
  }
`);

export const ESTIMATE = graphql(`
  query Estimate($input: GenerateInput!) { estimateGenerate(input: $input) { ...PriceParts } }
`);

export const ESTIMATE_EDIT = graphql(`
  query EstimateEdit($image: ID!, $edit: EditInput!) { estimateEdit(image: $image, edit: $edit) { ...PriceParts } }
`);

export const GENERATE = graphql(`
  mutation Generate($input: GenerateInput!, $quote: String, $key: String!, $budget: ID) {
    generate(input: $input, quote: $quote, idempotencyKey: $key, budget: $budget) { ...ResultParts }
  }
`);

export const EDIT = graphql(`
  mutation Edit($image: ID!, $edit: EditInput!, $quote: String, $key: String!) {
    editImage(image: $image, edit: $edit, quote: $quote, idempotencyKey: $key) { ...ResultParts }
  }
`);

export const WATCH_JOB = graphql(`
  subscription WatchJob($id: ID!) { job(id: $id) { ...JobParts } }
`);

export const TAG = graphql(`
  mutation Tag($assets: [ID!]!, $add: [String!]!) { tagAssets(assets: $assets, add: $add) { ...PictureParts } }
`);

export const FIND = graphql(`
  query Find($filter: AssetFilterInput!, $first: Int!) {
    assets(filter: $filter, first: $first) { nodes { ...PictureParts } pageInfo { hasNextPage endCursor } }
  }
`);

export const CREATE_COLLECTION = graphql(`
  mutation CreateCollection($name: String!) { createCollection(name: $name) { id name } }
`);

export const ADD_TO_COLLECTION = graphql(`
  mutation AddToCollection($id: ID!, $assets: [ID!]!) {
    addToCollection(id: $id, assets: $assets) { id name count cover { id } assets { ...PictureParts } }
  }
`);

export const CREATE_BUDGET = graphql(`
  mutation CreateBudget($input: CreateBudgetInput!) { createBudget(input: $input) { id name cap spent left } }
`);
