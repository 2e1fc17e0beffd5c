import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, truncate, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DiskStorage } from '../../src/assets/storage.ts';

const KEY = 'asset_01k6x3v9m2e8yb5c7d0f1g2h3j';
const BYTES = Buffer.from('0123456789');

describe('pictures on disk', () => {
  let root: string;
  let folder: string;
  let storage: DiskStorage;

  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'storage-'));
    folder = join(root, 'pictures');
    storage = await DiskStorage.open(folder);
  });
  afterEach(() => rm(root, { recursive: true, force: true }));

  async function everyFile(): Promise<string[]> {
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name));
  }

  it('gives back exactly what was put, whole or in part', async () => {
    await storage.put(KEY, BYTES);
    expect(await text(await storage.open(KEY))).toBe('0123456789');
    expect(await text(await storage.open(KEY, { start: 2, end: 4 }))).toBe('234');
    expect(await text(await storage.open(KEY, { start: 9, end: 9 }))).toBe('9');
    expect(await storage.size(KEY)).toBe(10);
  });

  it('survives being opened again', async () => {
    await storage.put(KEY, BYTES);
    const reopened = await DiskStorage.open(folder);
    expect(await text(await reopened.open(KEY))).toBe('0123456789');
  });

  it('says that nothing is there before it is put and after it is deleted', async () => {
    expect(await storage.size(KEY)).toBeNull();
    await expect(storage.open(KEY)).rejects.toThrow('ENOENT');
    await storage.put(KEY, BYTES);
    await storage.delete(KEY);
    await storage.delete(KEY);
    expect(await storage.size(KEY)).toBeNull();
    expect(await everyFile()).toEqual([]);
  });

  it('takes the same bytes twice, also at the same time, and keeps one file', async () => {
    await Promise.all([storage.put(KEY, BYTES), storage.put(KEY, BYTES), storage.put(KEY, BYTES)]);
    await storage.put(KEY, BYTES);
    expect(await everyFile()).toEqual([join(folder, '3j', KEY)]);
  });

  it.each([
    ['of the same length', 'abcdefghij'],
    ['of another length', 'abc'],
  ])('refuses other bytes %s under a key that is taken, and keeps the first', async (_what, other) => {
    await storage.put(KEY, BYTES);
    await expect(storage.put(KEY, Buffer.from(other))).rejects.toThrow('already holds other bytes');
    expect(await text(await storage.open(KEY))).toBe('0123456789');
  });

  it('keeps folders and files from everyone else on the machine', async () => {
    await storage.put(KEY, BYTES);
    const modeOf = async (path: string) => ((await stat(path)).mode & 0o777).toString(8);
    expect(await modeOf(folder)).toBe('700');
    expect(await modeOf(join(folder, '3j'))).toBe('700');
    expect(await modeOf(join(folder, '3j', KEY))).toBe('600');
  });

  it('leaves nothing half written when a put fails', async () => {
    await mkdir(join(folder, '3j', KEY, 'in-the-way'), { recursive: true });
    await expect(storage.put(KEY, BYTES)).rejects.toThrow();
    expect(await everyFile()).toEqual([]);
  });

  it('clears what a crash left half written, but not what another process is writing', async () => {
    const [old, fresh] = [join(folder, '.tmp', 'old'), join(folder, '.tmp', 'fresh')];
    await writeFile(old, 'half');
    await writeFile(fresh, 'half');
    const twoHoursAgo = new Date(Date.now() - 2 * 60 * 60 * 1000);
    await utimes(old, twoHoursAgo, twoHoursAgo);
    await DiskStorage.open(folder);
    expect(await everyFile()).toEqual([fresh]);
  });

  const escapes = [
    '../../etc/passwd',
    '..',
    '.',
    '',
    'a/../../../escaped',
    '/etc/passwd',
    'C:\\windows',
    '..\\..\\escaped',
    '..%2f..%2fescaped',
    `${KEY}\0.png`,
    'ASSET_01K6X3V9M2E8YB5C7D0F1G2H3J',
    'asset_\u202egnp.exe',
    'short',
    'a'.repeat(81),
    'a'.repeat(10_000),
    `${KEY}\n`,
  ];
  it.each(escapes)('never lets the key %j become a path', async (key) => {
    const refusal = 'A storage key is made of';
    await expect(storage.put(key, BYTES)).rejects.toThrow(refusal);
    await expect(storage.open(key)).rejects.toThrow(refusal);
    await expect(storage.size(key)).rejects.toThrow(refusal);
    await expect(storage.delete(key)).rejects.toThrow(refusal);
    expect(await everyFile()).toEqual([]);
  });

  it('does not follow a link out of its folder', async () => {
    const secret = join(root, 'secret');
    await writeFile(secret, 'secret');
    await mkdir(join(folder, '3j'));
    await symlink(secret, join(folder, '3j', KEY));
    expect(await storage.size(KEY)).toBeNull();
    await storage.delete(KEY);
    expect(await readFile(secret, 'utf8')).toBe('secret');
  });

  it('shows the true size of a file that lost its end', async () => {
    await storage.put(KEY, BYTES);
    await truncate(join(folder, '3j', KEY), 4);
    expect(await storage.size(KEY)).toBe(4);
  });

  it('lists every file it keeps, and nothing else that lies around', async () => {
    await storage.put(KEY, BYTES);
    await storage.put('another_key', BYTES);
    await writeFile(join(folder, 'stray'), 'x');
    await writeFile(join(folder, '3j', 'Stray.txt'), 'x');
    await writeFile(join(folder, '.tmp', 'half_written'), 'x');
    const keys: string[] = [];
    for await (const file of storage.files()) keys.push(file.key);
    expect(keys.sort()).toEqual(['another_key', KEY]);
  });
});
