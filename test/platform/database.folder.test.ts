import { spawn } from 'node:child_process';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openPglite } from '../../src/platform/database.ts';
import { usedFolder } from '../support/databases.ts';
import { endProcess } from '../support/server-process.ts';

const HOLDER = join(import.meta.dirname, 'folder-holder.ts');

describe('the data folder of the embedded database', { timeout: 120_000 }, () => {
  let folder: string;
  beforeEach(() => {
    folder = usedFolder();
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const refusal = () =>
    `Another gateway is running on the data folder ${folder}. The embedded database serves one process: stop the other one, choose another DATA_DIR, or set DATABASE_URL.`;

  test('is refused to a second while the first has it, which goes on; and is free when that has closed', async () => {
    const first = await openPglite(folder);
    await expect(openPglite(folder)).rejects.toThrow(refusal());
    await sql`create table kept (id int)`.execute(first.db);
    await expect(openPglite(folder)).rejects.toThrow(refusal());
    await first.close();

    const second = await openPglite(folder);
    expect((await sql`select * from kept`.execute(second.db)).rows).toEqual([]);
    await second.close();
  });

  test('is refused while another process has it, and free with all that was committed when that was killed', async () => {
    const options = ['--experimental-transform-types', '--no-warnings', '--expose-gc'];
    const holder = spawn(process.execPath, [...options, HOLDER, folder], { stdio: ['ignore', 'pipe', 'inherit'] });
    await new Promise<void>((resolve, reject) => {
      holder.stdout.once('data', () => resolve());
      holder.once('exit', (code) => reject(new Error(`the holder ended with ${code}`)));
    });
    await expect(openPglite(folder)).rejects.toThrow(refusal());
    await endProcess(holder, 'SIGKILL');

    const after = await openPglite(folder);
    expect((await sql`select * from kept`.execute(after.db)).rows).toEqual([{ id: 1 }]);
    await after.close();
  });

  test('is free again when the database in it could not be opened', async () => {
    const obstacle = join(folder, 'pglite');
    renameSync(obstacle, join(folder, 'aside'));
    writeFileSync(obstacle, 'a file where a folder belongs');
    await expect(openPglite(folder)).rejects.toThrow();
    rmSync(obstacle);
    renameSync(join(folder, 'aside'), obstacle);
    await (await openPglite(folder)).close();
  });

  test('whose lock cannot be read is not said to be in use', async () => {
    writeFileSync(join(folder, 'lock.db'), 'this is no database, but long enough to look like one '.repeat(100));
    await expect(openPglite(folder)).rejects.not.toThrow('Another gateway');
  });

  test('two databases in memory do not hinder each other', async () => {
    const both = await Promise.all([openPglite(null), openPglite(null)]);
    for (const { close } of both) await close();
  });
});
