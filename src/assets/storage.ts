import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { type FileHandle, lstat, mkdir, open, opendir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

/** Both ends are included, as in an HTTP range. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

export interface StoredFile {
  readonly key: string;
  readonly storedAt: Date;
}

/**
 * Keeps bytes under keys that we make. A key is written once and its bytes never change; `put` answers only when they
 * are durable.
 */
export interface Storage {
  /** @throws Error when the key already holds other bytes. Putting the same ones again is harmless. */
  put(key: string, bytes: Buffer): Promise<void>;
  /** The caller owns the stream and must read or destroy it. @throws Error when nothing is kept under the key. */
  open(key: string, range?: ByteRange): Promise<Readable>;
  /** In bytes; null when nothing is kept under the key. */
  size(key: string): Promise<number | null>;
  /** Deleting what is not there is harmless. */
  delete(key: string): Promise<void>;
  /** Everything kept, in no order, read as it is consumed. */
  files(): AsyncIterable<StoredFile>;
}

const KEY = /^[a-z0-9_]{8,80}$/;
const TEMPORARY = '.tmp';
const TEMPORARY_AGE_MAX_MS = 60 * 60 * 1000;

/** Files in one folder, sharded by the last two characters of the key, which are the random ones of an id. */
export class DiskStorage implements Storage {
  readonly #durableShards = new Set<string>();

  private constructor(private readonly folder: string) {}

  /** Makes the folder if need be, for our eyes only, and clears what a crash left half written. */
  static async open(folder: string): Promise<DiskStorage> {
    const temporary = join(folder, TEMPORARY);
    await mkdir(temporary, { recursive: true, mode: 0o700 });
    for (const name of await readdir(temporary)) {
      const path = join(temporary, name);
      const modified = (await fileAt(path))?.mtimeMs;
      // Another process may be writing here now; only what nobody can still be writing goes.
      if (modified !== undefined && modified < Date.now() - TEMPORARY_AGE_MAX_MS) await rm(path, { force: true });
    }
    return new DiskStorage(folder);
  }

  async put(key: string, bytes: Buffer): Promise<void> {
    const path = this.#path(key);
    if (await this.#holds(key, bytes)) return;
    const shard = this.#shard(key);
    await mkdir(shard, { recursive: true, mode: 0o700 });
    const temporary = join(this.folder, TEMPORARY, `${key}.${randomBytes(6).toString('hex')}`);
    try {
      await withFile(temporary, 'wx', async (file) => {
        await file.writeFile(bytes);
        await file.sync();
      });
      await rename(temporary, path);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
    // The name is as much a part of the file as its bytes, and so is the name of a new shard.
    await syncFolder(shard);
    if (!this.#durableShards.has(shard)) {
      await syncFolder(this.folder);
      this.#durableShards.add(shard);
    }
  }

  async open(key: string, range?: ByteRange): Promise<Readable> {
    // Opened before the stream exists, so that a missing file is an error here and not in the middle of an answer.
    const file = await open(this.#path(key), 'r');
    return file.createReadStream(range);
  }

  async size(key: string): Promise<number | null> {
    return (await fileAt(this.#path(key)))?.size ?? null;
  }

  async delete(key: string): Promise<void> {
    await rm(this.#path(key), { force: true });
  }

  async *files(): AsyncGenerator<StoredFile> {
    for (const shard of await readdir(this.folder, { withFileTypes: true })) {
      if (!shard.isDirectory() || shard.name === TEMPORARY) continue;
      for await (const { name } of await opendir(join(this.folder, shard.name))) {
        const found = KEY.test(name) ? await fileAt(join(this.folder, shard.name, name)) : null;
        if (found) yield { key: name, storedAt: found.mtime };
      }
    }
  }

  async #holds(key: string, bytes: Buffer): Promise<boolean> {
    const size = await this.size(key);
    if (size === null) return false;
    if (size === bytes.length && bytes.equals(await readFile(this.#path(key)))) return true;
    throw new Error(`The storage key ${key} already holds other bytes`);
  }

  #shard(key: string): string {
    return join(this.folder, checked(key).slice(-2));
  }

  #path(key: string): string {
    return join(this.#shard(key), key);
  }
}

/** Keys are made by us; one that is not spelt like ours would be a defect, and never becomes a path. */
function checked(key: string): string {
  if (!KEY.test(key)) throw new Error('A storage key is made of 8 to 80 of a-z, 0-9 and _');
  return key;
}

async function syncFolder(path: string): Promise<void> {
  // Windows neither lets a folder be opened nor needs it: NTFS journals names.
  if (process.platform === 'win32') return;
  await withFile(path, 'r', (folder) => folder.sync());
}

async function withFile(path: string, flags: string, work: (file: FileHandle) => Promise<void>): Promise<void> {
  const file = await open(path, flags, 0o600);
  try {
    await work(file);
  } finally {
    await file.close();
  }
}

/** Null for what is not there and for what is no plain file: a link in the store is not followed. */
async function fileAt(path: string): Promise<Stats | null> {
  try {
    const found = await lstat(path);
    return found.isFile() ? found : null;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
