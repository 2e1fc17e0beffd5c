import { type GraphQLField, getNamedType, isObjectType } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createSchema } from '../../src/graph/schema.ts';
import { newId } from '../../src/platform/ids.ts';
import {
  CROSSINGS,
  type Kind,
  OWNED_TYPES,
  ROOT_FIELDS,
  type Rule,
  type Scope,
} from '../support/authorisation-table.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { keyFor } from '../support/keys.ts';
import { openSocket } from '../support/live.ts';
import { minimalArguments, minimalOperation } from '../support/minimal-arguments.ts';
import { generate, openAccount } from '../support/stories.ts';

const schema = createSchema(null);
const ROOTS = [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].filter((root) => !!root);
const FIELDS = new Map<string, GraphQLField<unknown, unknown>>(
  ROOTS.flatMap((root) =>
    Object.values(root.getFields()).map((field) => [`${root.name}.${field.name}`, field] as const),
  ),
);

const CUSTOMER: readonly Scope[] = ['ESTIMATE', 'RUN', 'LIBRARY'];
/** Who asks, with what; `owns` says whose the things are that are asked for. */
const CALLERS = {
  'no key': { scopes: null, owns: false },
  ESTIMATE: { scopes: ['ESTIMATE'], owns: true },
  RUN: { scopes: ['RUN'], owns: true },
  LIBRARY: { scopes: ['LIBRARY'], owns: true },
  OPERATOR: { scopes: ['OPERATOR'], owns: false },
  'every scope of another customer': { scopes: CUSTOMER, owns: false },
  "an operator's key without OPERATOR": { scopes: CUSTOMER, owns: false },
  operator: { scopes: [...CUSTOMER, 'OPERATOR'], owns: false },
} as const satisfies Record<string, { scopes: readonly Scope[] | null; owns: boolean }>;
type Caller = keyof typeof CALLERS;
const CALLER_NAMES = Object.keys(CALLERS) as Caller[];

type End = 'UNAUTHENTICATED' | 'FORBIDDEN' | 'AS IF ABSENT' | 'allowed';

function expectedEnd(caller: Caller, { needs, ids }: Rule): End {
  const { owns } = CALLERS[caller];
  const scopes: readonly Scope[] | null = CALLERS[caller].scopes;
  if (scopes === null) return 'UNAUTHENTICATED';
  if (needs !== 'ANY' && !needs.some((scope) => scopes.includes(scope))) return 'FORBIDDEN';
  const isOperators = needs !== 'ANY' && needs.includes('OPERATOR') && scopes.includes('OPERATOR');
  return ids && !owns && !isOperators ? 'AS IF ABSENT' : 'allowed';
}

const CASES = Object.entries(ROOT_FIELDS).flatMap(([name, rules]) =>
  [rules].flat().map((rule) => {
    const kinds = Array.isArray(rules) ? ` of ${Object.values(rule.ids ?? {}).join()}` : '';
    return [`${name}${kinds}`, name, rule] as const;
  }),
);

let gateway: TestGateway;
let owner: { id: string; key: string };
const keys = new Map<Caller, string>();
const ids = new Map<Kind, string>();

beforeAll(async () => {
  gateway = await startTestGateway();
  owner = await openAccount(gateway, { tier: 'PRO' });
  const other = await openAccount(gateway, { tier: 'PRO' });
  const operator = await openAccount(gateway, { tier: 'ENTERPRISE', role: 'OPERATOR' });
  for (const scope of ['ESTIMATE', 'RUN', 'LIBRARY'] as const)
    keys.set(scope, (await keyFor(gateway, owner.id, [scope])).secret);
  keys.set('OPERATOR', (await keyFor(gateway, operator.id, ['OPERATOR'])).secret);
  keys.set("an operator's key without OPERATOR", (await keyFor(gateway, operator.id, CUSTOMER)).secret);
  keys.set('every scope of another customer', other.key);
  keys.set('operator', operator.key);
  const { job } = await generate(gateway, owner.key, { prompt: 'a boat' }, { waitSeconds: 30 });
  const upload = await gateway.ask<{ createUpload: { assetId: string } }>(
    owner,
    'mutation { createUpload { assetId } }',
  );
  ids.set('account', owner.id);
  ids.set('job', job.id);
  ids.set('asset', job.images[0]?.asset?.id ?? '');
  ids.set('upload', upload.data?.createUpload.assetId ?? '');
});
afterAll(() => gateway.stop());

/** Something of the owner's. Keys and such are used up by what is done to them, so there is a new one each time. */
async function idOf(kind: Kind): Promise<string> {
  if (kind === 'key') return (await keyFor(gateway, owner.id, ['ESTIMATE'])).id;
  if (kind === 'collection') return made('createCollection(name: $name)');
  if (kind === 'budget') return made('createBudget(input: { name: $name, cap: 1 })');
  return ids.get(kind) ?? '';
}

/** What the owner makes anew each time, under a name that nothing else has. */
async function made(call: string): Promise<string> {
  const mutation = `mutation ($name: String!) { made: ${call} { id } }`;
  const { data } = await gateway.ask<{ made: { id: string } }>(owner, mutation, { name: newId('key') });
  return data?.made.id ?? '';
}
const neverWas = (kind: Kind) => newId(kind === 'upload' ? 'asset' : kind);

interface Answer {
  readonly code: unknown;
  readonly requiredScope: unknown;
  /** Everything that was answered, with the ids that were asked for made the same. */
  readonly text: string;
}

async function ask(
  caller: Caller,
  name: string,
  { given = {} }: Rule,
  named: Readonly<Record<string, string>>,
): Promise<Answer> {
  const field = FIELDS.get(name);
  if (!field) throw new Error(`there is no ${name}`);
  const variables = minimalArguments(field, { ...given, ...named });
  const kind = name.split('.')[0]?.toLowerCase() ?? '';
  const query = minimalOperation(kind, field, Object.keys(variables));
  const key = keys.get(caller) ?? null;
  const { data, errors } =
    kind === 'subscription'
      ? await firstState(key, query, variables)
      : await gateway.ask(key === null ? null : { key }, query, variables);
  const text = Object.values(named).reduce((all, id) => all.replaceAll(id, '(id)'), JSON.stringify({ data, errors }));
  const { code, requiredScope } = errors?.[0]?.extensions ?? {};
  return { code: code ?? null, requiredScope, text };
}

type FirstState = { data?: unknown; errors?: readonly { extensions?: Record<string, unknown> }[] | undefined };

/** What comes first of a subscription. Without a key not even the connection is opened. */
async function firstState(key: string | null, query: string, variables: object): Promise<FirstState> {
  const socket = await openSocket(gateway.url);
  socket.send({ type: 'connection_init', ...(key !== null && { payload: { authorization: `Bearer ${key}` } }) });
  if (key === null) {
    expect((await socket.closed).code).toBe(4401);
    return { errors: [{ extensions: { code: 'UNAUTHENTICATED' } }] };
  }
  await socket.messages.until(({ type }) => type === 'connection_ack');
  socket.send({ id: 'one', type: 'subscribe', payload: { query, variables } });
  const { payload = {} } = await socket.messages.until(({ id }) => id === 'one');
  socket.socket.close();
  await socket.closed;
  return Array.isArray(payload) ? { errors: payload } : (payload as FirstState);
}

describe('the table', () => {
  test('has a line for every field of the roots, and none for a field that there is not', () => {
    expect(Object.keys(ROOT_FIELDS).sort()).toEqual([...FIELDS.keys()].sort());
  });

  test('names every argument that is the id of something', () => {
    const unnamed = [...FIELDS].flatMap(([name, { args }]) =>
      args
        .filter(({ type }) => getNamedType(type).name === 'ID')
        .filter(
          (arg) => ![ROOT_FIELDS[name] ?? []].flat().some((rule) => 'ids' in rule && arg.name in (rule.ids ?? {})),
        )
        .map((arg) => `${name}(${arg.name})`),
    );
    // What an operator filters by is no way to anything that the list does not show.
    expect(unnamed).toEqual(['Query.auditLog(target)']);
  });

  test('has a line for every field that leads to something that belongs to an account', () => {
    const isPage = (name: string) => /(Connection|Edge)$/.test(name);
    const roots = new Set(ROOTS.map(({ name }) => name));
    const crossings = Object.values(schema.getTypeMap())
      .filter((type) => isObjectType(type))
      .filter(({ name }) => !roots.has(name) && !isPage(name) && !name.startsWith('__'))
      .flatMap((type) =>
        Object.values(type.getFields())
          .filter((field) => OWNED_TYPES.includes(getNamedType(field.type).name.replace(/(Connection|Edge)$/, '')))
          .map((field) => `${type.name}.${field.name}`),
      );
    expect(Object.keys(CROSSINGS).sort()).toEqual(crossings.sort());
  });
});

describe.each(CASES)('%s', (_, name, rule) => {
  test.each(CALLER_NAMES)('asked with %s', async (caller) => {
    const named: Record<string, string> = {};
    for (const [argument, kind] of Object.entries(rule.ids ?? {})) named[argument] = await idOf(kind);
    const answer = await ask(caller, name, rule, named);
    const expected = expectedEnd(caller, rule);
    switch (expected) {
      case 'UNAUTHENTICATED':
        expect(answer).toMatchObject({ code: 'UNAUTHENTICATED' });
        break;
      case 'FORBIDDEN':
        expect(answer).toMatchObject({ code: 'FORBIDDEN', requiredScope: rule.needs[0] });
        break;
      case 'AS IF ABSENT': {
        const absent = Object.fromEntries(
          Object.entries(rule.ids ?? {}).map(([argument, kind]) => [argument, neverWas(kind)]),
        );
        expect(answer).toEqual(await ask(caller, name, rule, absent));
        if (!/"node":null|"nodes":\[null\]/.test(answer.text)) expect(answer.code).toBe('NOT_FOUND');
        break;
      }
      case 'allowed':
        expect(['UNAUTHENTICATED', 'FORBIDDEN', 'NOT_FOUND', 'INTERNAL_SERVER_ERROR']).not.toContain(answer.code);
        expect(answer.text).not.toMatch(/"node":null|"nodes":\[null\]/);
    }
  });
});

describe('from one thing to another', () => {
  /** What is asked of the owner with a key of these scopes, and where it is forbidden to go on. */
  const WAYS: readonly (readonly [string, readonly Scope[], string, { at: string; requiredScope: Scope } | null])[] = [
    ['a picture is part of its job', ['RUN'], '{ job(id: $job) { images { asset { id url } source { id } } } }', null],
    [
      'and not of collections',
      ['RUN'],
      '{ job(id: $job) { images { asset { id collections { id } } } } }',
      { at: 'job.images.0.asset.collections', requiredScope: 'LIBRARY' },
    ],
    ['back from it to the job', ['RUN'], '{ job(id: $job) { images { asset { job { id } parent { id } } } } }', null],
    ['a job has its ledger entries', ['RUN'], '{ job(id: $job) { receipt { entries { amount job { id } } } } }', null],
    [
      'a picture to its job',
      ['LIBRARY'],
      '{ asset(id: $asset) { id job { id } } }',
      { at: 'asset.job', requiredScope: 'RUN' },
    ],
    ['a picture to its job, with both', ['LIBRARY', 'RUN'], '{ asset(id: $asset) { job { id } } }', null],
    ['a picture to its parent', ['LIBRARY'], '{ asset(id: $asset) { parent { id } } }', null],
    ['an upload to its picture', ['LIBRARY'], '{ upload(id: $upload) { asset { id } } }', null],
    [
      'an entry of the ledger to its job',
      ['LIBRARY'],
      '{ ledger(first: 1) { nodes { amount job { id } } } }',
      { at: 'ledger.nodes.0.job', requiredScope: 'RUN' },
    ],
    [
      'what shows an insight to its job',
      ['LIBRARY'],
      '{ insights { insights { evidence { job { id } asset { id } } } } }',
      { at: 'insights.insights.0.evidence.0.job', requiredScope: 'RUN' },
    ],
    ['an entry of the ledger to its job, with RUN', ['RUN'], '{ ledger(first: 1) { nodes { job { id } } } }', null],
    [
      'an estimate to pictures like it',
      ['ESTIMATE'],
      '{ estimateGenerate(input: { prompt: "a boat" }) { credits identicalAssets { id } } }',
      { at: 'estimateGenerate.identicalAssets', requiredScope: 'LIBRARY' },
    ],
    [
      'an estimate to pictures like it, with RUN',
      ['ESTIMATE', 'RUN'],
      '{ estimateGenerate(input: { prompt: "a boat" }) { identicalAssets { id } } }',
      null,
    ],
    [
      'an estimate tells the balance',
      ['ESTIMATE'],
      '{ viewer { balance } estimateGenerate(input: { prompt: "x" }) { balanceBefore } }',
      null,
    ],
    [
      'an account to its keys',
      ['ESTIMATE'],
      '{ viewer { apiKeys { id } } }',
      { at: 'viewer.apiKeys', requiredScope: 'RUN' },
    ],
    ['an account to its keys, with RUN', ['RUN'], '{ viewer { apiKeys { id } } }', null],
    ['an account to its keys, with LIBRARY', ['LIBRARY'], '{ viewer { apiKeys { id } } }', null],
  ];

  test.each(WAYS)('%s: %j', async (_, scopes, query, forbidden) => {
    const { secret } = await keyFor(gateway, owner.id, scopes);
    const used = (['job', 'asset', 'upload'] as const).filter((kind) => query.includes(`$${kind}`));
    const declared = used.length > 0 ? `query (${used.map((kind) => `$${kind}: ID!`).join(', ')}) ` : 'query ';
    const variables = Object.fromEntries(used.map((kind) => [kind, ids.get(kind)]));
    const { data, errors } = await gateway.ask({ key: secret }, declared + query, variables);
    const told = errors?.map(({ path, extensions }) => ({
      at: path?.join('.'),
      code: extensions?.code,
      requiredScope: extensions?.requiredScope,
    }));
    expect(told).toEqual(forbidden === null ? undefined : [{ code: 'FORBIDDEN', ...forbidden }]);
    if (forbidden === null) expect(data).not.toBeNull();
  });

  test('every crossing that needs a scope of its own has a way here that is forbidden', () => {
    const guarded = Object.entries(CROSSINGS).flatMap(([crossing, needs]) => (needs === 'HERE' ? [] : [crossing]));
    const walked = WAYS.flatMap(([, , , forbidden]) => forbidden?.at.split('.').at(-1) ?? []);
    expect(guarded.map((crossing) => crossing.split('.')[1]).sort()).toEqual(walked.sort());
  });
});
