import sharp from 'sharp';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { type Database, migrate, openPostgres } from '../../src/platform/database.ts';
import { createLog } from '../../src/platform/log.ts';
import { SVG } from '../assets/hostile-pictures.ts';
import { grainy } from '../assets/library.ts';
import { TestClock } from '../support/clock.ts';
import { createPostgresDatabase, ENGINES, hasPostgres } from '../support/databases.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { generate, openAccount } from '../support/stories.ts';

interface UploadAnswer {
  readonly id: string;
  readonly url: string;
  readonly method: string;
  readonly status: string;
  readonly expiresAt: string;
  readonly bytesMax: number;
  readonly contentTypes: readonly string[];
  readonly rejection: { readonly code: string; readonly message: string } | null;
  readonly asset: AssetAnswer | null;
}

interface AssetAnswer {
  readonly id: string;
  readonly kind: string;
  readonly url: string;
  readonly width: number;
  readonly height: number;
  readonly contentType: string;
}

const ASSET = '{ id kind url width height contentType }';
const UPLOAD = `fragment U on Upload { id: assetId url method status expiresAt bytesMax contentTypes rejection { code message } asset ${ASSET} }`;

const clock = new TestClock('2026-03-15T12:00:00Z');
let gateway: TestGateway;
let key: string;
let source: Buffer;

async function createUpload(as = key, on = gateway): Promise<UploadAnswer> {
  const { data, errors } = await on.ask<{ createUpload: UploadAnswer }>(
    { key: as },
    `mutation { createUpload { ...U } } ${UPLOAD}`,
  );
  expect(errors).toBeUndefined();
  if (!data) throw new Error('no upload');
  return data.createUpload;
}

async function readUpload(id: string, on = gateway): Promise<UploadAnswer | null | undefined> {
  const { data } = await on.ask<{ upload: UploadAnswer }>(
    { key },
    `query ($id: ID!) { upload(id: $id) { ...U } } ${UPLOAD}`,
    { id },
  );
  return data?.upload;
}

const send = (url: string, body: Buffer | string) => fetch(url, { method: 'PUT', body });

/** The mean difference of a channel, of 255. */
async function difference(one: Buffer, other: Buffer): Promise<number> {
  const [a, b] = await Promise.all([one, other].map((bytes) => sharp(bytes).raw().toBuffer()));
  if (!a || !b || a.length !== b.length) return Number.POSITIVE_INFINITY;
  return a.reduce((sum, value, i) => sum + Math.abs(value - (b[i] ?? 0)), 0) / a.length;
}

beforeAll(async () => {
  source = await grainy(120, 80).blur(1).png().toBuffer();
});

describe.each(ENGINES)('a picture of a user, on %s', (engine) => {
  beforeAll(async () => {
    gateway = await startTestGateway({ engine, clock });
  });
  afterAll(() => gateway.stop());
  beforeEach(async () => {
    clock.set('2026-03-15T12:00:00Z');
    ({ key } = await openAccount(gateway, { tier: 'FREE' }));
  });
  afterEach(() => void vi.restoreAllMocks());

  test('has a place reserved, which says how it is to be sent', async () => {
    const upload = await createUpload();
    expect(upload).toEqual({
      id: expect.stringMatching(/^asset_[a-z0-9]{26}$/),
      url: expect.stringMatching(
        new RegExp(`^${gateway.url}/uploads/${upload.id}\\?expires=\\d{10}&signature=[\\w-]{43}$`),
      ),
      method: 'PUT',
      status: 'PENDING',
      expiresAt: '2026-03-15T12:15:00.000Z',
      bytesMax: 25 * 1024 * 1024,
      contentTypes: ['image/png', 'image/jpeg', 'image/webp', 'image/avif'],
      rejection: null,
      asset: null,
    });
    expect(await readUpload(upload.id)).toEqual(upload);
  });

  test.each(['png', 'jpeg', 'webp', 'avif'] as const)('is sent, and can be fetched as it was: %s', async (format) => {
    const bytes = await sharp(source).toFormat(format).toBuffer();
    const { id, url } = await createUpload();
    expect((await send(url, bytes)).status).toBe(201);
    const upload = await readUpload(id);
    expect(upload).toMatchObject({
      status: 'READY',
      asset: { id, kind: 'INPUT', width: 120, height: 80, contentType: `image/${format}` },
    });
    const response = await fetch(upload?.asset?.url ?? '');
    expect([response.status, response.headers.get('content-type')]).toEqual([200, `image/${format}`]);
    expect(await difference(Buffer.from(await response.arrayBuffer()), bytes)).toBeLessThan(2);
  });

  test('is in the library with what jobs made, and can be asked for alone', async () => {
    const { job } = await generate(
      gateway,
      key,
      { prompt: 'x', model: 'qwen-image', width: 256, height: 256 },
      { waitSeconds: 30 },
    );
    const { id, url } = await createUpload();
    await send(url, source);
    const made = job.images[0]?.asset?.id;
    const { data, errors } = await gateway.ask(
      { key },
      `{ all: assets { nodes { id } } inputs: assets(filter: { kind: INPUT }) { nodes { ...A } } outputs: assets(filter: { kind: OUTPUT }) { nodes { id kind } } asset(id: "${id}") { ...A } node(id: "${id}") { __typename id } } fragment A on Asset { id kind cost operation provider model prompt job { id } parent { id } }`,
    );
    expect(errors).toBeUndefined();
    const input = {
      id,
      kind: 'INPUT',
      cost: 0,
      operation: null,
      provider: null,
      model: null,
      prompt: null,
      job: null,
      parent: null,
    };
    expect(data).toEqual({
      all: { nodes: [{ id }, { id: made }] },
      inputs: { nodes: [input] },
      outputs: { nodes: [{ id: made, kind: 'OUTPUT' }] },
      asset: input,
      node: { __typename: 'Asset', id },
    });
  });

  test('that is none ends its place, and the place says why', async () => {
    const { id, url } = await createUpload();
    const response = await send(url, SVG);
    const { error } = (await response.json()) as { error: { message: string } };
    expect(response.status).toBe(415);
    expect(await readUpload(id)).toMatchObject({
      status: 'REJECTED',
      asset: null,
      rejection: { code: 'UNSUPPORTED', message: error.message },
    });
    expect((await send(url, source)).status).toBe(409);
  });

  test('is taken once of ten that come at once, and there is one asset then', async () => {
    const { url } = await createUpload();
    const answers = await Promise.all(Array.from({ length: 10 }, () => send(url, source)));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(409)]);
    const { data } = await gateway.ask<{ assets: { nodes: unknown[] } }>({ key }, '{ assets { nodes { id } } }');
    expect(data?.assets.nodes).toHaveLength(1);
  });

  test('is not taken when its time is over', async () => {
    const { id, url } = await createUpload();
    clock.advance(15 * 60);
    expect((await send(url, source)).status).toBe(410);
    expect(await readUpload(id)).toMatchObject({ status: 'PENDING', asset: null });
  });

  test('finds a hundred places reserved and no more', async () => {
    const asked = await Promise.all(
      Array.from({ length: 105 }, () => gateway.ask({ key }, 'mutation { createUpload { id: assetId } }')),
    );
    const refused = asked.flatMap(({ errors }) => errors ?? []);
    expect(refused).toHaveLength(5);
    for (const { extensions } of refused) expect(extensions).toMatchObject({ code: 'TOO_MANY_REQUESTS', limit: 100 });
  });

  test('and its place are to another account as if they never were', async () => {
    const { id, url } = await createUpload();
    const stranger = await openAccount(gateway, { tier: 'PRO' });
    const absent = 'asset_01m82c31mrfqcsd2a1682fhjer';
    const answerFor = async (asked: string) => {
      const answers = await Promise.all(
        ['upload { assetId }', 'asset { id }', 'node { id }'].map((call) =>
          gateway.ask({ key: stranger.key }, `{ ${call.replace(' ', `(id: "${asked}") `)} }`),
        ),
      );
      return JSON.stringify(answers).replaceAll(asked, 'ID');
    };
    expect(await answerFor(id)).toBe(await answerFor(absent));
    await send(url, source);
    expect(await answerFor(id)).toBe(await answerFor(absent));
    expect(JSON.parse(await answerFor(id))).toMatchObject([
      { errors: [{ extensions: { code: 'NOT_FOUND', field: 'id' } }] },
      {},
      { data: { node: null } },
    ]);
  });

  test('may be answered for by its parent, which is another asset of the account', async () => {
    const ids: string[] = [];
    for (let i = 0; i < 3; i++) {
      const { id, url } = await createUpload();
      await send(url, source);
      ids.push(id);
    }
    const foreign = await openAccount(gateway, { tier: 'PRO' });
    const theirs = await createUpload(foreign.key);
    await send(theirs.url, source);
    await setParents(gateway.database, { [ids[1] ?? '']: ids[0] ?? '', [ids[2] ?? '']: theirs.id });
    const { data } = await gateway.ask<{ assets: { nodes: unknown[] } }>(
      { key },
      '{ assets { nodes { id parent { id } } } }',
    );
    expect(data?.assets.nodes).toEqual([
      { id: ids[2], parent: null },
      { id: ids[1], parent: { id: ids[0] } },
      { id: ids[0], parent: null },
    ]);
  });
});

async function setParents({ db }: Database, parents: Record<string, string>): Promise<void> {
  for (const [id, parent] of Object.entries(parents)) {
    await db
      .withTables<{ assets: { id: string; parent_id: string } }>()
      .updateTable('assets')
      .set({ parent_id: parent })
      .where('id', '=', id)
      .execute();
  }
}

describe.runIf(hasPostgres)('two gateways on one database', () => {
  test('take one picture of ten that are sent to both at once', async () => {
    const { url: databaseUrl, drop } = await createPostgresDatabase();
    const options = { url: databaseUrl, poolMax: 10, log: createLog('silent') };
    const open = () => ({ ...openPostgres(options), url: databaseUrl });
    const databases = [open(), open()] as const;
    await migrate(databases[0].db);
    const SIGNING_KEYS = 'one-key-for-both-gateways-of-a-test';
    const first = await startTestGateway({ database: databases[0], environment: { SIGNING_KEYS } });
    const environment = { SIGNING_KEYS, DATA_DIR: first.dataDir };
    const second = await startTestGateway({ database: databases[1], environment });
    try {
      const customer = await openAccount(first, { tier: 'PRO' });
      for (let round = 0; round < 5; round++) {
        const { url } = await createUpload(customer.key, first);
        const urls = [url, url.replace(first.url, second.url)];
        const answers = await Promise.all(Array.from({ length: 10 }, (_, i) => send(urls[i % 2] ?? '', source)));
        expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(409)]);
      }
      const { data } = await second.ask<{ assets: { nodes: unknown[] } }>(
        { key: customer.key },
        '{ assets { nodes { id } } }',
      );
      expect(data?.assets.nodes).toHaveLength(5);
    } finally {
      for (const each of [second, first]) await each.stop();
      for (const each of databases) await each.close();
      await drop();
    }
  });
});
