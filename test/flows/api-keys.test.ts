import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/platform/ids.ts';
import { TestClock } from '../support/clock.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { keyFor } from '../support/keys.ts';
import { openAdmitted } from '../support/live.ts';
import { openAccount } from '../support/stories.ts';

let gateway: TestGateway;
let clock: TestClock;
beforeAll(async () => {
  clock = new TestClock(new Date());
  gateway = await startTestGateway({ clock });
});
afterAll(() => gateway.stop());

const ROTATE = `mutation ($id: ID!, $overlap: Int! = 0) {
  rotateApiKey(id: $id, overlapSeconds: $overlap) { secret key { id label scopes accountId expiresAt } } }`;
const REVOKE = 'mutation ($id: ID!) { revokeApiKey(id: $id) }';
const KEYS = '{ viewer { apiKeys { id label scopes expiresAt lastUsedAt revokedAt replacedBy } } }';

interface Rotated {
  readonly rotateApiKey: { readonly secret: string; readonly key: Record<string, unknown> & { readonly id: string } };
}
interface Listed {
  readonly viewer: { readonly apiKeys: readonly (Record<string, unknown> & { readonly id: string })[] };
}

describe('a key', () => {
  test('that expires stops as an unknown one does, at once, and its open connection is closed', async () => {
    const { id } = await openAccount(gateway, { tier: 'PRO' });
    const { secret } = await keyFor(gateway, id, ['RUN'], new Date(clock.now().getTime() + 60_000));
    expect((await gateway.ask({ key: secret }, '{ viewer { id } }')).data).toEqual({ viewer: { id } });
    const socket = await openAdmitted(gateway.url, secret);
    socket.send({ id: 'one', type: 'subscribe', payload: { query: 'subscription { balance { available } }' } });
    await socket.messages.until(({ type }) => type === 'next');
    clock.advance(60);
    const unknown = await gateway.ask({ key: `isg_${'A'.repeat(43)}` }, '{ viewer { id } }');
    expect(unknown.status).toBe(401);
    expect(await gateway.ask({ key: secret }, '{ viewer { id } }')).toEqual(unknown);
    // Another one is refused even before the connection is closed.
    socket.send({ id: 'two', type: 'subscribe', payload: { query: 'subscription { balance { available } }' } });
    expect(await socket.closed).toEqual({ code: 4403, reason: expect.stringContaining('not valid') });
    expect(socket.messages.all.filter(({ payload }) => payload && 'data' in payload && payload.data)).toHaveLength(1);
  });

  test('that expired meanwhile is not shown the next state of its subscription', async () => {
    const { id } = await openAccount(gateway, { tier: 'PRO' });
    const { secret } = await keyFor(gateway, id, ['RUN'], new Date(clock.now().getTime() + 60_000));
    const socket = await openAdmitted(gateway.url, secret);
    socket.send({ id: 'one', type: 'subscribe', payload: { query: 'subscription { balance { available } }' } });
    await socket.messages.until(({ type }) => type === 'next');
    clock.advance(60);
    await gateway.ask('OPERATOR', 'mutation ($id: ID!) { grantCredits(account: $id, credits: 7) { id } }', { id });
    await socket.closed;
    expect(socket.messages.all.flatMap(({ payload }) => (payload && 'data' in payload ? [payload.data] : []))).toEqual([
      { balance: { available: 2000 } },
    ]);
  });

  test('says what it lacks, and what to do about it', async () => {
    const { id } = await openAccount(gateway, { tier: 'PRO' });
    const { secret } = await keyFor(gateway, id, ['ESTIMATE']);
    const asked = { key: secret };
    const one = await gateway.ask(asked, 'mutation { generate(input: { prompt: "x" }) { __typename } }');
    expect(one.errors?.[0]).toMatchObject({
      message:
        'This API key does not have the scope RUN, which this needs. Send a key that has it, or ask an operator for one. Nothing was run, nothing was changed and nothing was charged.',
      extensions: { code: 'FORBIDDEN', requiredScope: 'RUN', acceptedScopes: ['RUN'] },
    });
    const either = await gateway.ask(asked, '{ ledger { nodes { amount } } }');
    expect(either.errors?.[0]?.extensions).toEqual({
      code: 'FORBIDDEN',
      requiredScope: 'RUN',
      acceptedScopes: ['RUN', 'LIBRARY'],
    });
    const price = await gateway.ask(asked, '{ estimateGenerate(input: { prompt: "x" }) { credits } }');
    expect(price.data).toEqual({ estimateGenerate: { credits: 4 } });
    const { data } = await gateway.ask('OPERATOR', 'query ($id: ID!) { node(id: $id) { id } }', { id });
    expect(data).toEqual({ node: null });
  });

  test("of an operator's account without the scope OPERATOR does nothing that is for operators", async () => {
    const { id } = await openAccount(gateway, { tier: 'ENTERPRISE', role: 'OPERATOR' });
    const { secret } = await keyFor(gateway, id, ['ESTIMATE', 'RUN', 'LIBRARY']);
    const { data, errors } = await gateway.ask({ key: secret }, '{ priceHistory { version } }');
    expect([data ?? null, errors?.[0]?.extensions?.requiredScope]).toEqual([null, 'OPERATOR']);
  });

  test.each(['ESTIMATE', 'LIBRARY'])(
    'asked for several things with %s alone gets an error for each job',
    async (scope) => {
      const { id } = await openAccount(gateway, { tier: 'PRO' });
      const { secret } = await keyFor(gateway, id, [scope]);
      const { data, errors } = await gateway.ask<{ nodes: unknown[] }>(
        { key: secret },
        'query ($ids: [ID!]!) { nodes(ids: $ids) { id } }',
        { ids: [id, newId('job'), newId('account')] },
      );
      expect(data?.nodes).toEqual([{ id }, null, null]);
      expect(errors?.map(({ path, extensions }) => [path, extensions?.requiredScope])).toEqual([[['nodes', 1], 'RUN']]);
    },
  );
});

describe('a customer', () => {
  test('sees its own keys, never a secret, and when each was last used', async () => {
    const { id, key, keyId } = await openAccount(gateway, { tier: 'PRO' });
    const second = await keyFor(gateway, id, ['ESTIMATE'], new Date(clock.now().getTime() + 86_400_000));
    const look = async () => (await gateway.ask<Listed>({ key }, KEYS)).data?.viewer.apiKeys ?? [];
    expect(await look()).toEqual([
      {
        id: second.id,
        label: 'a key',
        scopes: ['ESTIMATE'],
        expiresAt: new Date(clock.now().getTime() + 86_400_000).toISOString(),
        lastUsedAt: null,
        revokedAt: null,
        replacedBy: null,
      },
      expect.objectContaining({
        id: keyId,
        label: 'first key',
        scopes: ['ESTIMATE', 'RUN', 'LIBRARY'],
        expiresAt: null,
      }),
    ]);
    await expect.poll(async () => (await look())[1]?.lastUsedAt, { timeout: 5_000 }).toBe(clock.now().toISOString());
    expect(JSON.stringify(await look())).not.toContain(key);
    const forbidden = await gateway.ask({ key: second.secret }, KEYS);
    expect(forbidden.errors?.[0]?.extensions?.acceptedScopes).toEqual(['RUN', 'LIBRARY', 'OPERATOR']);
  });

  test('replaces its own key: the old one works through the overlap, the new one from now on', async () => {
    const { id, key, keyId } = await openAccount(gateway, { tier: 'PRO' });
    const { data, errors } = await gateway.ask<Rotated>({ key }, ROTATE, { id: keyId, overlap: 60 });
    expect(errors).toBeUndefined();
    const issued = data?.rotateApiKey;
    expect(issued?.key).toEqual({
      id: issued?.key.id,
      label: 'first key',
      scopes: ['ESTIMATE', 'RUN', 'LIBRARY'],
      accountId: id,
      expiresAt: null,
    });
    const works = async (secret = '') => (await gateway.ask({ key: secret }, '{ viewer { id } }')).status;
    expect([await works(key), await works(issued?.secret)]).toEqual([200, 200]);
    clock.advance(60);
    expect([await works(key), await works(issued?.secret)]).toEqual([401, 200]);
    const again = await gateway.ask({ key: issued?.secret ?? '' }, ROTATE, { id: keyId });
    expect(again.errors?.[0]?.extensions?.code).toBe('NOT_FOUND');
  });

  test('ends its own key, and neither ends, replaces nor sees that of another account', async () => {
    const mine = await openAccount(gateway, { tier: 'PRO' });
    const theirs = await openAccount(gateway, { tier: 'PRO' });
    const nobodys = newId('key');
    for (const query of [REVOKE, ROTATE]) {
      const told = async (id: string) =>
        JSON.stringify(await gateway.ask({ key: mine.key }, query, { id })).replaceAll(id, '(id)');
      expect(await told(theirs.keyId)).toBe(await told(nobodys));
    }
    expect((await gateway.ask({ key: theirs.key }, '{ viewer { id } }')).status).toBe(200);
    expect((await gateway.ask({ key: mine.key }, REVOKE, { id: mine.keyId })).data).toEqual({ revokeApiKey: true });
    expect((await gateway.ask({ key: mine.key }, '{ viewer { id } }')).status).toBe(401);
  });

  test('does not get more out of a key than it can do', async () => {
    const { id, keyId, key } = await openAccount(gateway, { tier: 'PRO' });
    const { secret } = await keyFor(gateway, id, ['RUN']);
    for (const query of [REVOKE, ROTATE]) {
      const { errors } = await gateway.ask({ key: secret }, query, { id: keyId });
      expect(errors?.[0]?.extensions).toEqual({
        code: 'FORBIDDEN',
        requiredScope: 'ESTIMATE',
        missingScopes: ['ESTIMATE', 'LIBRARY'],
      });
    }
    expect((await gateway.ask({ key }, '{ viewer { id } }')).status).toBe(200);
  });
});

describe('an operator', () => {
  test.each([
    ['OPERATOR for a customer', { scopes: ['OPERATOR'] }, 'scopes'],
    ['no scope at all', { scopes: [] }, 'scopes'],
    ['a moment that is over', { expiresAt: '2020-01-01T00:00:00Z' }, 'expiresAt'],
    ['no name', { label: '' }, 'label'],
  ])('is refused a key with %s, by name', async (_, wish, field) => {
    const { id } = await openAccount(gateway, { tier: 'PRO' });
    const { errors } = await gateway.ask(
      'OPERATOR',
      `mutation ($account: ID!, $label: String! = "x", $scopes: [ApiKeyScope!]! = [RUN], $expiresAt: DateTime) {
        createApiKey(account: $account, label: $label, scopes: $scopes, expiresAt: $expiresAt) { secret } }`,
      { account: id, ...wish },
    );
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field });
  });

  test('replaces the key of any account', async () => {
    const { key, keyId } = await openAccount(gateway, { tier: 'PRO' });
    const { data } = await gateway.ask<Rotated>('OPERATOR', ROTATE, { id: keyId });
    expect((await gateway.ask({ key }, '{ viewer { id } }')).status).toBe(401);
    expect((await gateway.ask({ key: data?.rotateApiKey.secret ?? '' }, '{ viewer { id } }')).status).toBe(200);
  });
});
