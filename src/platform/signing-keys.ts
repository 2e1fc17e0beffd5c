import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Config } from '../config.ts';

/** Given keys; or, in development, keys made once and kept, so that quotes and addresses outlive a restart. */
export async function loadSigningKeys(
  config: Pick<Config, 'signingKeys' | 'dataDir'>,
): Promise<readonly [string, ...string[]]> {
  const [first, ...rest] = config.signingKeys ?? [];
  if (first !== undefined) return [first, ...rest];
  const file = join(config.dataDir, 'signing-key');
  try {
    return [await readFile(file, 'utf8')];
  } catch {
    const key = randomBytes(32).toString('base64url');
    await writeFile(file, key, { mode: 0o600, flag: 'wx' });
    return [key];
  }
}
