import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/platform/ids.ts';
import { GUIDE_PRICE_BOOK } from '../../src/pricing/guide-price-book.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { keyFor } from '../support/keys.ts';
import { openAccount } from '../support/stories.ts';

interface Entry {
  readonly id: string;
  readonly at: string;
  readonly accountId: string | null;
  readonly keyId: string | null;
  readonly action: string;
  readonly target: string;
  readonly before: Record<string, unknown> | null;
  readonly after: Record<string, unknown> | null;
  readonly requestId: string | null;
}

let gateway: TestGateway;
let operator: { id: string; key: string; keyId: string };
beforeAll(async () => {
  gateway = await startTestGateway();
  operator = await openAccount(gateway, { tier: 'ENTERPRISE', role: 'OPERATOR' });
});
afterAll(() => gateway.stop());

const AUDIT = `query ($first: Int! = 100, $after: String, $target: ID) { auditLog(first: $first, after: $after, target: $target) {
  nodes { id at accountId keyId action target before after requestId } pageInfo { hasNextPage endCursor } } }`;

async function entries(target: string | null = null): Promise<readonly Entry[]> {
  const { data, errors } = await gateway.ask<{ auditLog: { nodes: readonly Entry[] } }>('OPERATOR', AUDIT, { target });
  expect(errors).toBeUndefined();
  return data?.auditLog.nodes ?? [];
}

/** As the operator of these tests. */
async function act<T>(mutation: string, variables: Record<string, unknown> = {}): Promise<T> {
  const { data, errors } = await gateway.ask<T>({ key: operator.key }, mutation, variables);
  expect(errors).toBeUndefined();
  return data as T;
}

describe('every change of an operator is written with who, when, before and after', () => {
  const by = () => ({
    accountId: operator.id,
    keyId: operator.keyId,
    requestId: expect.stringMatching(/^[0-9a-f]{32}$/),
  });

  test('createAccount, setTier and grantCredits', async () => {
    const { createAccount } = await act<{
      createAccount: { account: { id: string }; issued: { secret: string; key: { id: string } } };
    }>(
      'mutation { createAccount(input: { name: "Ada", tier: BASIC, spendCap: 50, limits: { runningJobs: 2 } }) { account { id } issued { secret key { id } } } }',
    );
    const { id } = createAccount.account;
    await act('mutation ($id: ID!) { setTier(account: $id, tier: PRO, limits: {}, spendCap: null) { id } }', { id });
    await act('mutation ($id: ID!) { grantCredits(account: $id, credits: 12.5, reason: "Sorry") { id } }', { id });
    const key = { id: createAccount.issued.key.id, label: 'first key', scopes: ['ESTIMATE', 'RUN', 'LIBRARY'] };
    const terms = { tier: 'BASIC', nextTier: null, limits: { runningJobs: 2 }, spendCap: '50' };
    const written = await entries(id);
    expect(written).toMatchObject([
      { action: 'grantCredits', before: { topup: '0' }, after: { topup: '12.5', granted: '12.5', reason: 'Sorry' } },
      { action: 'setTier', before: terms, after: { tier: 'PRO', nextTier: null, limits: {}, spendCap: null } },
      { action: 'createAccount', before: null, after: { name: 'Ada', role: 'CUSTOMER', ...terms, key } },
    ]);
    for (const entry of written) expect(entry).toMatchObject({ target: id, ...by() });
    expect(JSON.stringify(await entries())).not.toContain(createAccount.issued.secret);
  });

  test('createApiKey, rotateApiKey and revokeApiKey, and never a secret or its hash', async () => {
    const { id } = await openAccount(gateway, { tier: 'PRO' });
    const created = (
      await act<{ createApiKey: { secret: string; key: { id: string } } }>(
        'mutation ($id: ID!) { createApiKey(account: $id, label: "shop", scopes: [RUN]) { secret key { id } } }',
        { id },
      )
    ).createApiKey;
    const rotated = (
      await act<{ rotateApiKey: { secret: string; key: { id: string } } }>(
        'mutation ($id: ID!) { rotateApiKey(id: $id) { secret key { id } } }',
        { id: created.key.id },
      )
    ).rotateApiKey;
    await act('mutation ($id: ID!) { revokeApiKey(id: $id) }', { id: rotated.key.id });
    const asIssued = { accountId: id, label: 'shop', scopes: ['RUN'], expiresAt: null, revokedAt: null };
    const [rotation, creation, ...others] = await entries(created.key.id);
    expect(others).toEqual([]);
    expect(creation).toMatchObject({ action: 'createApiKey', before: null, after: asIssued, ...by() });
    expect(rotation).toMatchObject({
      action: 'rotateApiKey',
      before: asIssued,
      after: { ...asIssued, expiresAt: rotation?.at, replacedBy: rotated.key.id },
      ...by(),
    });
    expect(await entries(rotated.key.id)).toMatchObject([
      { action: 'revokeApiKey', before: asIssued, after: { ...asIssued, revokedAt: expect.any(String) }, ...by() },
    ]);
    const { rows } = await sql<{ hash: string }>`select hash from api_keys`.execute(gateway.database.db);
    const all = JSON.stringify(await entries());
    for (const secret of [created.secret, rotated.secret, operator.key, ...rows.map(({ hash }) => hash)])
      expect(all).not.toContain(secret);
  });

  test('publishPriceBook: the rows that differ', async () => {
    const document = { ...GUIDE_PRICE_BOOK, upscale: { ...GUIDE_PRICE_BOOK.upscale, FAST: { S: 3, M: 2, L: 4 } } };
    const { publishPriceBook } = await act<{ publishPriceBook: { version: number; effectiveAt: string } }>(
      'mutation ($document: JSONObject!) { publishPriceBook(document: $document) { version effectiveAt } }',
      { document },
    );
    const { version, effectiveAt } = publishPriceBook;
    expect(await entries(`price-book:${version}`)).toMatchObject([
      {
        action: 'publishPriceBook',
        before: { version: 1, rows: { 'upscale.FAST.S': 2, 'upscale.FAST.L': null } },
        after: { version, effectiveAt, rows: { 'upscale.FAST.S': 3, 'upscale.FAST.L': 4 } },
        ...by(),
      },
    ]);
  });

  test('a customer who replaces or ends its own key is written too', async () => {
    const { id, key, keyId } = await openAccount(gateway, { tier: 'PRO' });
    const { data } = await gateway.ask<{ rotateApiKey: { secret: string; key: { id: string } } }>(
      { key },
      'mutation ($id: ID!) { rotateApiKey(id: $id, overlapSeconds: 60) { secret key { id } } }',
      { id: keyId },
    );
    const issued = data?.rotateApiKey;
    await gateway.ask({ key: issued?.secret ?? '' }, 'mutation ($id: ID!) { revokeApiKey(id: $id) }', { id: keyId });
    expect(await entries(keyId)).toMatchObject([
      { action: 'revokeApiKey', accountId: id, keyId: issued?.key.id },
      { action: 'rotateApiKey', accountId: id, keyId },
    ]);
  });
});

describe('what is not done is not written', () => {
  test('refused, forbidden and failed changes leave no entry', async () => {
    const { id, key, keyId } = await openAccount(gateway, { tier: 'PRO' });
    const before = await entries();
    const refused: [string, Record<string, unknown>?][] = [
      ['mutation { createAccount(input: { name: "", tier: PRO }) { account { id } } }'],
      ['mutation { createAccount(input: { name: "x", tier: PRO, spendCap: -1 }) { account { id } } }'],
      ['mutation ($id: ID!) { setTier(account: $id, tier: PRO, spendCap: -1) { id } }', { id }],
      ['mutation ($id: ID!) { setTier(account: $id, tier: PRO) { id } }', { id: newId('account') }],
      ['mutation ($id: ID!) { grantCredits(account: $id, credits: -1) { id } }', { id }],
      ['mutation ($id: ID!) { grantCredits(account: $id, credits: 1) { id } }', { id: newId('account') }],
      ['mutation ($id: ID!) { createApiKey(account: $id, label: "x", scopes: [OPERATOR]) { secret } }', { id }],
      ['mutation ($id: ID!) { rotateApiKey(id: $id, overlapSeconds: 604801) { secret } }', { id: keyId }],
      ['mutation ($id: ID!) { revokeApiKey(id: $id) }', { id: newId('key') }],
      ['mutation { publishPriceBook(document: {}) { version } }'],
    ];
    for (const [query, variables] of refused) {
      expect([query, (await gateway.ask({ key: operator.key }, query, variables)).errors?.length]).toEqual([query, 1]);
      expect((await gateway.ask({ key }, query, variables)).errors?.length).toBe(1);
    }
    expect(await entries()).toEqual(before);
  });

  test('a change whose entry cannot be written is not made', async () => {
    const { id, key, keyId } = await openAccount(gateway, { tier: 'FREE' });
    const { pglite } = gateway.database;
    const state = async () => {
      const { rows } = await sql<{ row: string }>`
        select row(id, label, scopes, expires_at, revoked_at, replaced_by)::text as row from api_keys
        union all select a::text from accounts a union all select b::text from credit_balances b
        union all select version::text from price_books order by 1`.execute(gateway.database.db);
      return rows.map(({ row }) => row);
    };
    const before = await state();
    await pglite?.query('alter table audit_entries rename to audit_gone');
    try {
      for (const [query, variables] of [
        ['mutation { createAccount(input: { name: "x", tier: PRO }) { account { id } } }'],
        ['mutation ($id: ID!) { setTier(account: $id, tier: PRO) { id } }', { id }],
        ['mutation ($id: ID!) { grantCredits(account: $id, credits: 1) { id } }', { id }],
        ['mutation ($id: ID!) { createApiKey(account: $id, label: "x") { secret } }', { id }],
        ['mutation ($id: ID!) { rotateApiKey(id: $id) { secret } }', { id: keyId }],
        ['mutation ($id: ID!) { revokeApiKey(id: $id) }', { id: keyId }],
        [
          'mutation ($document: JSONObject!) { publishPriceBook(document: $document) { version } }',
          { document: GUIDE_PRICE_BOOK },
        ],
      ] as [string, Record<string, unknown>?][]) {
        const { errors } = await gateway.ask({ key: operator.key }, query, variables);
        expect([query, errors?.[0]?.extensions?.code]).toEqual([query, 'INTERNAL_SERVER_ERROR']);
      }
    } finally {
      await pglite?.query('alter table audit_gone rename to audit_entries');
    }
    expect(await state()).toEqual(before);
    expect((await gateway.ask({ key }, '{ viewer { tier } }')).data).toEqual({ viewer: { tier: 'FREE' } });
  });

  test.each(['update audit_entries set action = action', 'delete from audit_entries', 'truncate audit_entries'])(
    'the database refuses: %s',
    async (statement) => {
      await expect(sql.raw(statement).execute(gateway.database.db)).rejects.toThrow(/the audit log is append-only/);
    },
  );
});

describe('reading it', () => {
  test('is for operators, in pages that meet without a gap', async () => {
    const { id, key } = await openAccount(gateway, { tier: 'PRO' });
    for (let count = 1; count <= 4; count++)
      await act('mutation ($id: ID!, $n: Credits!) { grantCredits(account: $id, credits: $n) { id } }', {
        id,
        n: count,
      });
    const all = await entries(id);
    expect(all.map(({ after }) => after?.granted)).toEqual(['4', '3', '2', '1', undefined]);
    const paged: Entry[] = [];
    let after: string | null = null;
    do {
      const {
        data,
      }: {
        data:
          | { auditLog: { nodes: Entry[]; pageInfo: { hasNextPage: boolean; endCursor: string } } }
          | null
          | undefined;
      } = await gateway.ask('OPERATOR', AUDIT, { first: 2, after, target: id });
      paged.push(...(data?.auditLog.nodes ?? []));
      after = data?.auditLog.pageInfo.hasNextPage ? data.auditLog.pageInfo.endCursor : null;
    } while (after !== null);
    expect(paged).toEqual(all);
    const { secret } = await keyFor(gateway, operator.id, ['RUN']);
    for (const asked of [{ key }, { key: secret }])
      expect((await gateway.ask(asked, AUDIT)).errors?.[0]?.extensions?.code).toBe('FORBIDDEN');
    for (const [page, field] of [
      [{ first: 0 }, 'first'],
      [{ first: 101 }, 'first'],
      [{ after: 'x' }, 'after'],
    ] as const)
      expect((await gateway.ask('OPERATOR', AUDIT, page)).errors?.[0]?.extensions).toMatchObject({
        code: 'BAD_USER_INPUT',
        field,
      });
  });
});
