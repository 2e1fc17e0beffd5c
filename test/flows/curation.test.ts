import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { generate, open, openAccount, submit } from '../support/stories.ts';

let gateway: TestGateway;
let key: string;
let stranger: string;
beforeAll(async () => {
  gateway = await startTestGateway();
  key = await open(gateway, { tier: 'PRO' });
  stranger = await open(gateway, { tier: 'PRO' });
});
afterAll(() => gateway.stop());

const PICTURE = { model: 'qwen-image', width: 256, height: 256 };

async function picture(prompt: string, owner = key): Promise<{ id: string; url: string }> {
  const { job } = await generate(gateway, owner, { ...PICTURE, prompt }, { waitSeconds: 30 });
  const asset = job.images[0]?.asset;
  if (!asset) throw new Error(`${prompt} was not delivered`);
  return asset;
}

/** Asks as the owner; errors are for `refused` alone. */
async function ask<T>(query: string, variables: Record<string, unknown> = {}, owner = key): Promise<T> {
  const { data, errors } = await gateway.ask<T>({ key: owner }, query, variables);
  expect(errors).toBeUndefined();
  return data as T;
}

async function refused(query: string, variables: Record<string, unknown> = {}, owner = key) {
  const { errors } = await gateway.ask({ key: owner }, query, variables);
  return errors?.[0];
}

describe('one asset', () => {
  const UPDATE = `mutation ($id: ID!, $change: AssetChangeInput!) {
    updateAsset(id: $id, change: $change) { id title favourite tags } }`;

  test('gets a title, a mark and tags, and what is left out stays', async () => {
    const { id } = await picture('a lighthouse');
    const update = async (change: Record<string, unknown>) =>
      (await ask<{ updateAsset: unknown }>(UPDATE, { id, change })).updateAsset;
    expect(await update({ title: ' Harbour ', tags: ['Sea', 'night'] })).toEqual({
      id,
      title: 'Harbour',
      favourite: false,
      tags: ['night', 'sea'],
    });
    expect(await update({ favourite: true })).toEqual({
      id,
      title: 'Harbour',
      favourite: true,
      tags: ['night', 'sea'],
    });
    expect(await update({ title: null, tags: ['sea'] })).toEqual({ id, title: null, favourite: true, tags: ['sea'] });
    expect(await update({ favourite: null, tags: null })).toEqual({ id, title: null, favourite: true, tags: ['sea'] });
  });

  test.each([
    [{ title: '' }, 'title'],
    [{ title: 'x'.repeat(201) }, 'title'],
    [{ tags: [''] }, 'tags[0]'],
    [{ tags: Array.from({ length: 21 }, (_, i) => `tag ${i}`) }, 'tags'],
  ])('refuses %j and changes nothing', async (change, field) => {
    const { id } = await picture('another lighthouse');
    const error = await refused(UPDATE, { id, change: { favourite: true, ...change } });
    expect(error?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field });
    expect(await ask(`{ asset(id: "${id}") { title favourite tags } }`)).toEqual({
      asset: { title: null, favourite: false, tags: [] },
    });
  });

  test('knows its family, and what the whole of it cost', async () => {
    const first = await picture('a chair');
    const edit = async (image: string) => {
      const { editImage } = await ask<{ editImage: { job: { images: { asset: { id: string } }[] } } }>(
        `mutation ($image: ID!) { editImage(image: $image, edit: { removeBackground: {} }, waitSeconds: 30) {
          ... on Submission { job { images { asset { id } } } } } }`,
        { image },
      );
      return editImage.job.images[0]?.asset.id ?? '';
    };
    const second = await edit(first.id);
    const third = await edit(second);
    const FAMILY = 'cost lineageCost lineage { id } parent { id } children { id }';
    const family = (id: string) => ask(`{ asset(id: "${id}") { ${FAMILY} } }`);
    expect(await family(third)).toEqual({
      asset: {
        cost: 2,
        lineageCost: 5,
        lineage: [{ id: first.id }, { id: second }, { id: third }],
        parent: { id: second },
        children: [],
      },
    });
    expect(await family(first.id)).toMatchObject({ asset: { lineageCost: 1, children: [{ id: second }] } });
    await ask(`mutation { deleteAssets(assets: ["${second}"], permanently: true) { id } }`);
    expect(await family(third)).toMatchObject({
      asset: { lineageCost: 5, lineage: [{ id: first.id }, { id: third }], parent: null },
    });
  });
});

describe('several assets', () => {
  test('are tagged together, or not at all', async () => {
    const [one, two] = [await picture('one'), await picture('two')];
    const TAG = `mutation ($assets: [ID!]!, $add: [String!]!, $remove: [String!]!) {
      tagAssets(assets: $assets, add: $add, remove: $remove) { id tags } }`;
    const assets = [two.id, one.id];
    expect(await ask(TAG, { assets, add: ['A', 'b'], remove: [] })).toEqual({
      tagAssets: [
        { id: two.id, tags: ['a', 'b'] },
        { id: one.id, tags: ['a', 'b'] },
      ],
    });
    expect(await ask(TAG, { assets: [one.id], add: ['c'], remove: ['A'] })).toEqual({
      tagAssets: [{ id: one.id, tags: ['b', 'c'] }],
    });
    expect(await ask<{ tags: unknown[] }>('{ tags { tag assets } }')).toMatchObject({
      tags: expect.arrayContaining([
        { tag: 'b', assets: 2 },
        { tag: 'a', assets: 1 },
        { tag: 'c', assets: 1 },
      ]),
    });
    const nineteen = Array.from({ length: 19 }, (_, i) => `tag ${i}`);
    expect((await refused(TAG, { assets, add: nineteen, remove: [] }))?.extensions).toMatchObject({ field: 'add' });
    expect((await refused(TAG, { assets: [], add: ['d'], remove: [] }))?.extensions).toMatchObject({ field: 'assets' });
    const many = Array.from({ length: 101 }, () => one.id);
    expect((await refused(TAG, { assets: many, add: ['d'], remove: [] }))?.extensions).toMatchObject({
      field: 'assets',
    });
    expect(await ask(`{ asset(id: "${two.id}") { tags } }`)).toEqual({ asset: { tags: ['a', 'b'] } });
  });

  test('are deleted and brought back, and a deleted picture is nowhere', async () => {
    const { id, url } = await picture('a rose');
    const DELETE = `mutation { deleteAssets(assets: ["${id}"]) { id deletedAt restorableUntil } }`;
    const { deleteAssets } = await ask<{ deleteAssets: { deletedAt: string; restorableUntil: string }[] }>(DELETE);
    const [deleted] = deleteAssets;
    const days = (Date.parse(deleted?.restorableUntil ?? '') - Date.parse(deleted?.deletedAt ?? '')) / 86_400_000;
    expect(days).toBe(30);
    expect((await refused(`{ asset(id: "${id}") { id } }`))?.extensions?.code).toBe('NOT_FOUND');
    expect((await fetch(url)).status).toBe(403);
    expect((await refused(`mutation { tagAssets(assets: ["${id}"], add: ["x"]) { id } }`))?.extensions?.code).toBe(
      'NOT_FOUND',
    );
    expect(await ask('{ assets(filter: { status: DELETED, search: "rose" }) { nodes { id } } }')).toEqual({
      assets: { nodes: [{ id }] },
    });
    await ask(`mutation { restoreAssets(assets: ["${id}"]) { id } }`);
    expect((await fetch(url)).status).toBe(200);
    expect(await ask(`{ asset(id: "${id}") { deletedAt restorableUntil } }`)).toEqual({
      asset: { deletedAt: null, restorableUntil: null },
    });
  });
});

describe('a collection', () => {
  const create = async (name: string, owner = key) =>
    (
      await ask<{ createCollection: { id: string } }>(
        `mutation ($name: String!) { createCollection(name: $name) { id } }`,
        { name },
        owner,
      )
    ).createCollection.id;
  const shown = (id: string) => ask(`{ collection(id: "${id}") { name count cover { id } assets { id } } }`);

  test('counts what is in it and shows a cover, deleted assets left out', async () => {
    const [one, two] = [await picture('first in'), await picture('second in')];
    const id = await create('Spring');
    expect(await shown(id)).toEqual({ collection: { name: 'Spring', count: 0, cover: null, assets: [] } });
    await ask(`mutation { addToCollection(id: "${id}", assets: ["${one.id}"]) { id } }`);
    await ask(`mutation { addToCollection(id: "${id}", assets: ["${two.id}", "${one.id}"]) { id } }`);
    const both = { name: 'Spring', count: 2, cover: { id: two.id }, assets: [{ id: two.id }, { id: one.id }] };
    expect(await shown(id)).toEqual({ collection: both });
    await ask(`mutation { updateCollection(id: "${id}", cover: "${one.id}", name: "Summer") { id } }`);
    expect(await shown(id)).toEqual({ collection: { ...both, name: 'Summer', cover: { id: one.id } } });
    await ask(`mutation { deleteAssets(assets: ["${one.id}"]) { id } }`);
    expect(await shown(id)).toEqual({
      collection: { name: 'Summer', count: 1, cover: { id: two.id }, assets: [{ id: two.id }] },
    });
    await ask(`mutation { restoreAssets(assets: ["${one.id}"]) { id } }`);
    expect(await shown(id)).toMatchObject({ collection: { count: 2, cover: { id: one.id } } });
    await ask(`mutation { updateCollection(id: "${id}", cover: null) { id } }`);
    await ask(`mutation { removeFromCollection(id: "${id}", assets: ["${two.id}"]) { id } }`);
    expect(await shown(id)).toMatchObject({ collection: { count: 1, cover: { id: one.id } } });
    expect(await ask(`{ asset(id: "${one.id}") { collections { id name } } }`)).toEqual({
      asset: { collections: [{ id, name: 'Summer' }] },
    });
  });

  test('is shown by what was added last once its chosen cover is destroyed', async () => {
    const [cover, other] = [await picture('the cover'), await picture('not the cover')];
    const id = await create('with a cover');
    await ask(`mutation { addToCollection(id: "${id}", assets: ["${cover.id}", "${other.id}"]) { id } }`);
    await ask(`mutation { updateCollection(id: "${id}", cover: "${cover.id}") { id } }`);
    await ask(`mutation { deleteAssets(assets: ["${cover.id}"], permanently: true) { id } }`);
    expect(await shown(id)).toMatchObject({ collection: { count: 1, cover: { id: other.id } } });
  });

  test('gives assets away to another, and its assets outlive it', async () => {
    const { id: asset } = await picture('wanderer');
    const [from, to] = [await create('from'), await create('to')];
    await ask(`mutation { addToCollection(id: "${from}", assets: ["${asset}"]) { id } }`);
    expect(
      await ask(`mutation { moveAssets(from: "${from}", to: "${to}", assets: ["${asset}"]) { id count } }`),
    ).toEqual({
      moveAssets: { id: to, count: 1 },
    });
    expect(await shown(from)).toMatchObject({ collection: { count: 0 } });
    expect(await ask(`mutation { deleteCollection(id: "${to}") }`)).toEqual({ deleteCollection: true });
    expect((await refused(`{ collection(id: "${to}") { id } }`))?.extensions?.code).toBe('NOT_FOUND');
    expect(await ask(`{ asset(id: "${asset}") { collections { id } } node(id: "${from}") { id } }`)).toEqual({
      asset: { collections: [] },
      node: { id: from },
    });
  });

  test('has a name of its own, capitals or not', async () => {
    const id = await create('Öffentlich');
    const error = await refused('mutation { createCollection(name: "öFFENTLICH ") { id } }');
    expect(error?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'name' });
    expect(await ask(`mutation { updateCollection(id: "${id}", name: "ÖFFENTLICH") { name } }`)).toEqual({
      updateCollection: { name: 'ÖFFENTLICH' },
    });
    await create('Öffentlich', stranger);
    for (const name of ['', '   ', 'x'.repeat(201)])
      expect(
        (await refused('mutation ($name: String!) { createCollection(name: $name) { id } }', { name }))?.extensions,
      ).toMatchObject({ code: 'BAD_USER_INPUT', field: 'name' });
  });

  test('takes as its cover only what is in it', async () => {
    const { id: outside } = await picture('outside');
    const id = await create('with no such cover');
    const error = await refused(
      `mutation { updateCollection(id: "${id}", cover: "${outside}", name: "changed") { id } }`,
    );
    expect(error?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field: 'cover' });
    expect(await shown(id)).toMatchObject({ collection: { name: 'with no such cover' } });
  });

  test('takes the same number of statements for a page of fifty as for a page of one', async () => {
    const statements = async (first: number) => {
      const { pglite } = gateway.database;
      if (!pglite) throw new Error('this counts the statements of the embedded engine');
      const spy = vi.spyOn(pglite, 'query');
      try {
        await ask(
          `{ collections(first: ${first}) { nodes { name count cover { id tags collections { id } } assets { id lineageCost children { id } } } } }`,
        );
        return spy.mock.calls.filter(([text]) => /assets|collections|asset_tags/.test(text)).length;
      } finally {
        spy.mockRestore();
      }
    };
    await ask(
      `mutation { addToCollection(id: "${await create('the newest')}", assets: ["${(await picture('in it')).id}"]) { id } }`,
    );
    await statements(1);
    const one = await statements(1);
    expect(await statements(50)).toBe(one);
    expect(one).toBeLessThanOrEqual(9);
  });
});

describe("another account's things", () => {
  test('cannot be seen or changed, and are answered like what never existed', async () => {
    const { id: theirs } = await picture('theirs', stranger);
    const { id: mine } = await picture('mine');
    const { createCollection: collection } = await ask<{ createCollection: { id: string } }>(
      'mutation { createCollection(name: "not yours") { id } }',
      {},
      stranger,
    );
    const never = { asset: `${theirs.slice(0, -4)}zzzz`, collection: `${collection.id.slice(0, -4)}zzzz` };
    const attempts = (asset: string, group: string) => [
      `mutation { updateAsset(id: "${asset}", change: { title: "x" }) { id } }`,
      `mutation { tagAssets(assets: ["${mine}", "${asset}"], add: ["x"]) { id } }`,
      `mutation { deleteAssets(assets: ["${mine}", "${asset}"], permanently: true) { id } }`,
      `mutation { restoreAssets(assets: ["${asset}"]) { id } }`,
      `mutation { addToCollection(id: "${group}", assets: ["${mine}"]) { id } }`,
      `mutation { removeFromCollection(id: "${group}", assets: ["${mine}"]) { id } }`,
      `mutation { moveAssets(from: "${group}", to: "${group}", assets: ["${mine}"]) { id } }`,
      `mutation { updateCollection(id: "${group}", name: "x") { id } }`,
      `mutation { deleteCollection(id: "${group}") }`,
      `{ collection(id: "${group}") { id } }`,
    ];
    const answers = async (asset: string, group: string) => {
      const errors = [];
      for (const query of attempts(asset, group)) errors.push(await refused(query));
      return JSON.stringify(errors.map((error) => [error?.message, error?.extensions]))
        .replaceAll(asset, 'ASSET')
        .replaceAll(group, 'GROUP');
    };
    const foreign = await answers(theirs, collection.id);
    expect(foreign).toBe(await answers(never.asset, never.collection));
    expect(JSON.parse(foreign).map(([, extensions]: [string, { code: string }]) => extensions.code)).toEqual(
      attempts('', '').map(() => 'NOT_FOUND'),
    );
    expect(await ask(`{ asset(id: "${mine}") { tags collections { id } } }`)).toEqual({
      asset: { tags: [], collections: [] },
    });
  });
});

describe('storage', () => {
  test('is counted, and when it is full nothing new is accepted and nothing is charged', async () => {
    const { id: account, key: owner } = await openAccount(gateway, { tier: 'FREE' });
    const { id: first } = await picture('the first', owner);
    const STORAGE = '{ viewer { storage { assets bytes bytesMax } available } }';
    const { viewer } = await ask<{ viewer: { storage: { bytes: number } } }>(STORAGE, {}, owner);
    expect(viewer.storage).toEqual({ assets: 1, bytes: expect.any(Number), bytesMax: 1_073_741_824 });
    // A gigabyte of pictures takes long to draw, so the one that is there is said to be as large.
    await gateway.database.db
      .withTables<{ storage_use: { account_id: string; bytes: bigint } }>()
      .updateTable('storage_use')
      .set({ bytes: 1_073_741_824n })
      .where('account_id', '=', account)
      .execute();
    const { data } = await submit(gateway, owner, { ...PICTURE, prompt: 'one more' });
    expect(data?.generate).toMatchObject({
      __typename: 'Refused',
      refusals: [{ __typename: 'StorageFull', message: expect.stringContaining('BASIC') }],
    });
    const full = { code: 'STORAGE_FULL', used: 1_073_741_824, limit: 1_073_741_824 };
    expect((await refused('mutation { createUpload { assetId } }', {}, owner))?.extensions).toMatchObject(full);
    expect(
      (await refused('mutation { importImage(url: "https://example.com/a.png") { id } }', {}, owner))?.extensions,
    ).toMatchObject(full);
    expect(await ask(STORAGE, {}, owner)).toMatchObject({ viewer: { available: 24 } });
    const { bytes } = viewer.storage;
    await ask(`mutation { deleteAssets(assets: ["${first}"], permanently: true) { id } }`, {}, owner);
    expect(await ask(STORAGE, {}, owner)).toMatchObject({
      viewer: { storage: { assets: 0, bytes: 1_073_741_824 - bytes } },
    });
    await picture('room again', owner);
  });
});
