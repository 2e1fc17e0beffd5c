/**
 * Who may ask what: one line for each root field of the schema. To add a field, add its line; the test names those that
 * are missing. `needs` is what a key must have, at least one of it; ANY is every key that works. `ids` names the arguments
 * that point at something that belongs to an account, with its kind: everybody else gets the answer of an id that never was.
 */
export type Scope = 'ESTIMATE' | 'RUN' | 'LIBRARY' | 'OPERATOR';
export type Kind = 'job' | 'asset' | 'collection' | 'budget' | 'upload' | 'account' | 'key';

export interface Rule {
  readonly needs: 'ANY' | readonly Scope[];
  readonly ids?: Readonly<Record<string, Kind>>;
  /** Arguments that cannot be made up from their types. */
  readonly given?: Readonly<Record<string, unknown>>;
}

const ANY = 'ANY';
const ESTIMATE = ['ESTIMATE'] as const;
const RUN = ['RUN'] as const;
const LIBRARY = ['LIBRARY'] as const;
const SPENDING = ['RUN', 'LIBRARY'] as const;
const OPERATOR = ['OPERATOR'] as const;
/** A workflow of one step. */
const DRAWING = { steps: [{ id: 'draw', operation: { generate: { prompt: 'x' } } }] };
/** Whoever can do what the key can, which is to estimate, and operators. */
const MANAGING = ['ESTIMATE', 'OPERATOR'] as const;

export const ROOT_FIELDS: Readonly<Record<string, Rule | readonly Rule[]>> = {
  'Query.account': { needs: OPERATOR, ids: { id: 'account' } },
  'Query.accounts': { needs: OPERATOR },
  'Query.asset': { needs: LIBRARY, ids: { id: 'asset' } },
  'Query.assets': { needs: LIBRARY },
  'Query.auditLog': { needs: OPERATOR },
  'Query.budget': { needs: SPENDING, ids: { id: 'budget' } },
  'Query.budgets': { needs: SPENDING },
  'Query.collection': { needs: LIBRARY, ids: { id: 'collection' } },
  'Query.collections': { needs: LIBRARY },
  'Query.estimateEdit': { needs: ESTIMATE, ids: { image: 'asset', budget: 'budget' } },
  'Query.estimateGenerate': { needs: ESTIMATE, ids: { budget: 'budget' } },
  'Query.estimateOptimize': {
    needs: ESTIMATE,
    ids: { image: 'asset', budget: 'budget' },
    given: { optimize: { platforms: ['TIKTOK'] } },
  },
  'Query.estimateUpscale': { needs: ESTIMATE, ids: { image: 'asset', budget: 'budget' } },
  'Query.estimateWorkflow': { needs: ESTIMATE, ids: { budget: 'budget' }, given: { input: DRAWING } },
  'Query.explainCost': { needs: RUN, ids: { job: 'job' } },
  'Query.insights': { needs: SPENDING },
  'Query.job': { needs: RUN, ids: { id: 'job' } },
  'Query.jobs': { needs: RUN },
  'Query.ledger': { needs: SPENDING },
  'Query.marginReport': { needs: OPERATOR },
  'Query.models': { needs: ANY },
  'Query.node': [
    { needs: RUN, ids: { id: 'job' } },
    { needs: LIBRARY, ids: { id: 'asset' } },
    { needs: LIBRARY, ids: { id: 'collection' } },
    { needs: SPENDING, ids: { id: 'budget' } },
    { needs: ANY, ids: { id: 'account' } },
  ],
  'Query.nodes': [
    { needs: RUN, ids: { ids: 'job' } },
    { needs: LIBRARY, ids: { ids: 'asset' } },
    { needs: LIBRARY, ids: { ids: 'collection' } },
    { needs: SPENDING, ids: { ids: 'budget' } },
    { needs: ANY, ids: { ids: 'account' } },
  ],
  'Query.previewPriceBook': { needs: OPERATOR },
  'Query.priceBook': { needs: ANY },
  'Query.priceDiff': { needs: OPERATOR, given: { from: 1, to: 1 } },
  'Query.priceHistory': { needs: OPERATOR },
  'Query.providers': { needs: ANY },
  'Query.settlementPolicy': { needs: ANY },
  'Query.socialFormats': { needs: ANY },
  'Query.tags': { needs: LIBRARY },
  'Query.templates': { needs: ANY },
  'Query.upload': { needs: LIBRARY, ids: { id: 'upload' } },
  'Query.usage': { needs: SPENDING },
  'Query.usageLevel': { needs: SPENDING },
  'Query.verifyLedger': { needs: OPERATOR },
  'Query.viewer': { needs: ANY },
  'Mutation.addToCollection': { needs: LIBRARY, ids: { id: 'collection', assets: 'asset' } },
  'Mutation.cancelJob': { needs: RUN, ids: { id: 'job' } },
  'Mutation.createAccount': { needs: OPERATOR },
  'Mutation.createApiKey': { needs: OPERATOR, ids: { account: 'account' } },
  'Mutation.createBudget': { needs: RUN },
  'Mutation.createCollection': { needs: LIBRARY },
  'Mutation.createUpload': { needs: LIBRARY },
  // In this order: what the first takes away the second brings back.
  'Mutation.deleteAssets': { needs: LIBRARY, ids: { assets: 'asset' } },
  'Mutation.restoreAssets': { needs: LIBRARY, ids: { assets: 'asset' } },
  'Mutation.deleteCollection': { needs: LIBRARY, ids: { id: 'collection' } },
  'Mutation.editImage': { needs: RUN, ids: { image: 'asset', budget: 'budget' } },
  'Mutation.generate': { needs: RUN, ids: { budget: 'budget' } },
  'Mutation.grantCredits': { needs: OPERATOR, ids: { account: 'account' } },
  'Mutation.importImage': { needs: LIBRARY },
  'Mutation.moveAssets': { needs: LIBRARY, ids: { from: 'collection', to: 'collection', assets: 'asset' } },
  'Mutation.optimizeForSocial': {
    needs: RUN,
    ids: { image: 'asset', budget: 'budget' },
    given: { optimize: { platforms: ['TIKTOK'] } },
  },
  'Mutation.publishPriceBook': { needs: OPERATOR },
  'Mutation.removeFromCollection': { needs: LIBRARY, ids: { id: 'collection', assets: 'asset' } },
  'Mutation.revokeApiKey': { needs: MANAGING, ids: { id: 'key' } },
  'Mutation.rotateApiKey': { needs: MANAGING, ids: { id: 'key' } },
  'Mutation.runWorkflow': { needs: RUN, ids: { budget: 'budget' }, given: { input: DRAWING } },
  'Mutation.setTier': { needs: OPERATOR, ids: { account: 'account' } },
  'Mutation.tagAssets': { needs: LIBRARY, ids: { assets: 'asset' } },
  'Mutation.updateAsset': { needs: LIBRARY, ids: { id: 'asset' } },
  'Mutation.updateBudget': { needs: RUN, ids: { id: 'budget' } },
  'Mutation.updateCollection': { needs: LIBRARY, ids: { id: 'collection', cover: 'asset' } },
  'Mutation.upscaleImage': { needs: RUN, ids: { image: 'asset', budget: 'budget' } },
  'Subscription.balance': { needs: SPENDING },
  'Subscription.usageAlert': { needs: SPENDING },
  'Subscription.job': { needs: RUN, ids: { id: 'job' } },
};

/** Types that belong to an account, which other fields than those of the roots can lead to. */
export const OWNED_TYPES = [
  'ApiKey',
  'Asset',
  'AuditEntry',
  'Budget',
  'Collection',
  'Job',
  'JobImage',
  'LedgerEntry',
  'Node',
  'Upload',
  'Viewer',
];

/**
 * Where one thing leads to another, and what a key must have to follow. The rule: a field needs the scope of what it leads
 * to; only pictures are part of the jobs that made them. HERE is what got the key as far as that.
 */
export const CROSSINGS: Readonly<Record<string, 'HERE' | readonly Scope[]>> = {
  'Asset.children': 'HERE',
  'Asset.collections': LIBRARY,
  'Asset.job': RUN,
  'Asset.lineage': 'HERE',
  'Asset.parent': 'HERE',
  'Collection.assets': 'HERE',
  'Collection.cover': 'HERE',
  'CostExplanation.job': 'HERE',
  'CreatedAccount.account': 'HERE',
  'Estimate.identicalAssets': ['LIBRARY', 'RUN'],
  'Evidence.asset': 'HERE',
  'Evidence.job': RUN,
  'IssuedApiKey.key': 'HERE',
  'Job.budget': 'HERE',
  'Job.images': 'HERE',
  'JobImage.asset': 'HERE',
  'JobImage.source': 'HERE',
  'LedgerEntry.job': RUN,
  'Receipt.entries': 'HERE',
  'Reused.assets': 'HERE',
  'Submission.job': 'HERE',
  'Upload.asset': 'HERE',
  'Viewer.apiKeys': ['RUN', 'LIBRARY', 'OPERATOR'],
};
