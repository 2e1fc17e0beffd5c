import { readdir } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { IntakeRefusal } from '../../src/assets/intake.ts';
import { UploadProblem } from '../../src/assets/upload.ts';
import { UPLOAD_LIFETIME_MS } from '../../src/assets/uploads.service.ts';
import type { Database } from '../../src/platform/database.ts';
import { newId } from '../../src/platform/ids.ts';
import { ENGINES, freshDatabase } from '../support/databases.ts';
import { SVG } from './hostile-pictures.ts';
import { grainy, NOW } from './library.ts';
import { UploadServer } from './upload-server.ts';

const HOUR_MS = 60 * 60_000;

describe.each(ENGINES)('uploads on %s', (engine) => {
  let database: Database;
  let server: UploadServer;
  let account: string;
  let picture: Buffer;
  beforeAll(async () => {
    database = await freshDatabase(engine);
    picture = await grainy(64, 48).png().toBuffer();
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    server = await UploadServer.start(database.db);
    account = newId('account');
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await server.close();
  });

  const later = (ms: number) => {
    server.library.now = new Date(server.library.now.getTime() + ms);
  };
  const stateOf = async (id: string) => {
    const { status, rejection } = await server.uploads.get(account, id);
    return { status, rejection };
  };
  const problem = (work: Promise<unknown>) =>
    work.then(
      () => 'taken',
      (error: unknown) =>
        error instanceof UploadProblem || error instanceof IntakeRefusal ? error.reason : `${error}`,
    );

  it('reserve the id of the asset, for fifteen minutes', async () => {
    const upload = await server.create(account);
    expect(upload).toEqual({
      id: expect.stringMatching(/^asset_/),
      accountId: account,
      storageMax: 1e9,
      status: 'PENDING',
      expiresAt: new Date(Math.floor((NOW.getTime() + UPLOAD_LIFETIME_MS) / 1000) * 1000),
      rejection: null,
    });
    expect(await server.uploads.get(account, upload.id)).toEqual(upload);
    expect(await server.library.service.byIds(account, [upload.id])).toEqual([null]);
    const asset = await server.receive(upload, picture);
    expect(asset).toMatchObject({
      id: upload.id,
      accountId: account,
      kind: 'INPUT',
      width: 64,
      height: 48,
      createdAt: NOW,
    });
    expect(asset).toMatchObject({ operation: null, provider: null, jobId: null, parentId: null, credits: 0n });
    expect(await server.library.service.byIds(account, [upload.id])).toEqual([asset]);
    expect(await stateOf(upload.id)).toEqual({ status: 'READY', rejection: null });
    expect(await readdir(server.inboxFolder)).toEqual([]);
  });

  it('of another account are answered like those that never were', async () => {
    const { id } = await server.create(account);
    const stranger = newId('account');
    const answers = await Promise.all(
      [id, newId('asset')].map(async (asked) =>
        server.uploads.get(stranger, asked).catch((error: Error) => error.message.replace(asked, 'ID')),
      ),
    );
    expect(answers).toEqual(Array(2).fill('No upload with the id "ID" in this account.'));
  });

  it('wait a hundred at a time and not one more, however many are asked for at once', async () => {
    const asked = await Promise.allSettled(Array.from({ length: 101 }, () => server.create(account)));
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(100);
    const firstOut = new Date(Math.floor((NOW.getTime() + UPLOAD_LIFETIME_MS) / 1000) * 1000);
    await expect(server.create(account)).rejects.toMatchObject({
      code: 'TOO_MANY_REQUESTS',
      details: { limit: 100, resetsAt: firstOut },
    });
    await expect(server.create(newId('account'))).resolves.toMatchObject({ status: 'PENDING' });

    const waiting = asked.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    await server.receive(waiting[0] as (typeof waiting)[0], picture);
    await server.create(account);
    await expect(server.create(account)).rejects.toMatchObject({ code: 'TOO_MANY_REQUESTS' });
    later(UPLOAD_LIFETIME_MS);
    await expect(server.create(account)).resolves.toMatchObject({ status: 'PENDING' });
  });

  it('are created a hundred and twenty times a minute and no oftener, for each account by itself', async () => {
    const create = async (owner: string) => server.create(owner);
    const asked = await Promise.allSettled(Array.from({ length: 120 }, () => create(account)));
    expect(asked.filter(({ status }) => status === 'fulfilled')).toHaveLength(100);
    await expect(create(account)).rejects.toMatchObject({
      code: 'TOO_MANY_REQUESTS',
      message: expect.stringMatching(/^More than 120 uploads in a minute\. Nothing was kept and nothing was charged\./),
      details: { limit: 120 },
    });
    await expect(create(newId('account'))).resolves.toMatchObject({ status: 'PENDING' });
  });

  it('take one picture of ten that come at once', async () => {
    const upload = await server.create(account);
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => problem(server.receive(upload, picture))));
    expect(outcomes.filter((outcome) => outcome === 'taken')).toHaveLength(1);
    expect(outcomes.filter((outcome) => outcome !== 'BUSY' && outcome !== 'USED')).toEqual(['taken']);
    expect(await server.library.lists.count(account)).toBe(1);
    expect(await problem(server.receive(upload, picture))).toBe('USED');
  });

  it('are over when what came is no picture that is taken, and say why', async () => {
    const upload = await server.create(account);
    expect(await problem(server.receive(upload, Buffer.from(SVG)))).toBe('UNSUPPORTED');
    expect(await stateOf(upload.id)).toEqual({
      status: 'REJECTED',
      rejection: {
        code: 'UNSUPPORTED',
        message:
          'The picture is an SVG drawing, but it must be a PNG, JPEG, WebP or AVIF picture. Nothing was kept and nothing was charged. Its content counts, not its name: save it as one of these. This upload is over: create another one for it.',
      },
    });
    expect(await problem(server.receive(upload, picture))).toBe('USED');
    expect(await server.library.lists.count(account)).toBe(0);
    expect(await server.library.service.sweepOrphans(new Date(Date.now() + HOUR_MS))).toMatchObject({ examined: 0 });
  });

  it('are given back when our storage fails, and take the picture the next time', async () => {
    const upload = await server.create(account);
    vi.spyOn(server.library.storage, 'put').mockRejectedValueOnce(new Error('ENOSPC: no space left'));
    expect(await problem(server.receive(upload, picture))).toBe('Error: ENOSPC: no space left');
    expect(await stateOf(upload.id)).toEqual({ status: 'PENDING', rejection: null });
    expect(await problem(server.receive(upload, picture))).toBe('taken');
  });

  it('are given back when the row cannot be written, and another picture may come then', async () => {
    const upload = await server.create(account);
    vi.spyOn(server.library.service, 'insertInput').mockRejectedValueOnce(new Error('the database is full'));
    expect(await problem(server.receive(upload, picture))).toBe('Error: the database is full');
    expect(await stateOf(upload.id)).toEqual({ status: 'PENDING', rejection: null });
    const other = await grainy(80, 80).jpeg().toBuffer();
    expect(await server.receive(upload, other)).toMatchObject({ id: upload.id, width: 80, contentType: 'image/jpeg' });
    expect(await server.library.lists.count(account)).toBe(1);
  });

  it('are given back by the clock when a process died with one in its hands, and the dead come too late', async () => {
    const upload = await server.create(account);
    const stored = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const put = server.library.storage.put.bind(server.library.storage);
    vi.spyOn(server.library.storage, 'put').mockImplementationOnce(async (key, bytes) => {
      await put(key, bytes);
      stored.resolve();
      await goOn.promise;
    });
    const first = problem(server.receive(upload, picture));
    await stored.promise;
    later(5 * 60_000 - 1);
    expect(await problem(server.receive(upload, picture))).toBe('BUSY');
    later(1);
    const second = await server.receive(upload, picture);
    goOn.resolve();
    expect(await first).toBe('BUSY');
    expect(await stateOf(upload.id)).toEqual({ status: 'READY', rejection: null });
    expect(await server.library.service.byIds(account, [upload.id])).toEqual([second]);
    expect((await server.library.service.read(second)).length).toBe(second.byteCount);
  });

  it('keep their bytes through a sweep that comes between the bytes and the row', async () => {
    const upload = await server.create(account);
    const put = server.library.storage.put.bind(server.library.storage);
    const swept: unknown[] = [];
    vi.spyOn(server.library.storage, 'put').mockImplementationOnce(async (key, bytes) => {
      await put(key, bytes);
      swept.push(await server.library.service.sweepOrphans(new Date(Date.now() - 24 * HOUR_MS)));
    });
    const asset = await server.receive(upload, picture);
    expect(swept).toEqual([{ examined: 1, deleted: 0, finished: true }]);
    expect(await server.library.service.isIntact(asset)).toBe(true);
    expect(await server.library.service.sweepOrphans(new Date(Date.now() + HOUR_MS))).toMatchObject({ deleted: 0 });
  });

  it('take bytes that began to come in time, and none that begin later', async () => {
    const [early, late] = [await server.create(account), await server.create(account)];
    later(early.expiresAt.getTime() - server.library.now.getTime() - 1);
    const body = new Readable({ read() {} });
    const taken = problem(server.receive(early, body));
    await vi.waitFor(async () => expect(await readdir(server.inboxFolder)).toHaveLength(1));
    later(1);
    expect(await problem(server.receive(late, picture))).toBe('EXPIRED');
    body.push(picture);
    body.push(null);
    expect(await taken).toBe('taken');
    expect(await stateOf(late.id)).toEqual({ status: 'PENDING', rejection: null });
  });

  it('are forgotten a day after they expired, and their pictures stay', async () => {
    const [ready, pending] = [await server.create(account), await server.create(account)];
    const asset = await server.receive(ready, picture);
    later(UPLOAD_LIFETIME_MS + 24 * HOUR_MS - 1_000);
    const young = await server.create(account);
    await server.uploads.sweep();
    expect((await stateOf(pending.id)).status).toBe('PENDING');
    later(2_000);
    await server.uploads.sweep();
    for (const { id } of [ready, pending])
      await expect(server.uploads.get(account, id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await stateOf(young.id)).status).toBe('PENDING');
    expect(await server.library.service.byIds(account, [ready.id])).toEqual([asset]);
    expect(await problem(server.receive(pending, picture))).toBe('EXPIRED');
  });
});
