import { readFile, rename, writeFile } from 'node:fs/promises';
import type { Accounts } from './accounts/accounts.service.ts';
import { scopesOf } from './accounts/api-key.ts';
import { TIERS } from './pricing/price-book.ts';
import type { Tiers } from './tiers/tiers.service.ts';

const DEMO_NAMES = [...TIERS, 'OPERATOR'] as const;
export type DemoName = (typeof DEMO_NAMES)[number];
export type DemoKeys = Readonly<Record<DemoName, string>>;

const ACCOUNTS_LOOKED_AT_MAX = 100;
const displayName = (name: DemoName) => `Demo ${name}`;

/**
 * One account of each tier and an operator, for development: opened at the first start of an empty database. Their keys
 * stand in `file`, readable by the owner alone; when the file is gone or stale, new keys are issued to the same accounts.
 */
export async function openDemoAccounts(accounts: Accounts, tiers: Tiers, file: string): Promise<DemoKeys> {
  const known = await readKeys(accounts, file);
  if (known) return known;
  const existing = new Map((await accounts.first(ACCOUNTS_LOOKED_AT_MAX)).map((account) => [account.name, account]));
  const keys: Partial<Record<DemoName, string>> = {};
  for (const name of DEMO_NAMES) {
    const account = existing.get(displayName(name));
    keys[name] = account
      ? (await accounts.issueKey(account.id, 'demo key, issued again', { scopes: scopesOf(account.role) })).secret
      : (await openDemo(tiers, name)).issued.secret;
  }
  // Written whole or not at all: a half-written file would lock the owner out of the demo accounts.
  await writeFile(`${file}.new`, `${JSON.stringify(keys, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
  return keys as DemoKeys;
}

function openDemo(tiers: Tiers, name: DemoName) {
  const isOperator = name === 'OPERATOR';
  return tiers.open(
    {
      name: displayName(name),
      role: isOperator ? 'OPERATOR' : 'CUSTOMER',
      tier: isOperator ? 'ENTERPRISE' : name,
      limits: {},
      spendCap: null,
    },
    'demo key',
  );
}

/** The keys in the file, if they all still open something. */
async function readKeys(accounts: Accounts, file: string): Promise<DemoKeys | null> {
  try {
    const keys = JSON.parse(await readFile(file, 'utf8')) as DemoKeys;
    for (const name of DEMO_NAMES) await accounts.authenticate(keys[name]);
    return keys;
  } catch {
    return null;
  }
}
