import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { RECIPES } from '../src/web/examples.recipes.ts';
import { startTestGateway, type TestGateway } from './support/gateway.ts';
import { operationsTable } from './support/operations-table.ts';
import { withTables } from './support/readme-tables.ts';

const root = join(import.meta.dirname, '..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');

describe('the README', () => {
  let gateway: TestGateway;
  beforeAll(async () => {
    gateway = await startTestGateway();
  });
  afterAll(() => gateway.stop());

  /** What differs from run to run is made the same: ids, times, addresses, the quote. */
  function steady(value: unknown): unknown {
    const text = JSON.stringify(value, (key, inner: unknown) =>
      ['quote', 'url', 'id', 'quoteExpiresAt', 'resetsAt'].includes(key) ? `(${key})` : inner,
    );
    return JSON.parse(text.replace(/\d{4}-\d\d-\d\d/g, '(day)'));
  }

  test('shows commands that work, with the answers that they really get', async () => {
    const examples = [...readme.matchAll(/```sh\ncurl [^\n]*-d '(\{.*\})'\n```\n\n```json\n([\s\S]*?)```/g)];
    expect(examples).toHaveLength(2);
    for (const [, body, answer] of examples) {
      const response = await fetch(`${gateway.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', authorization: `Bearer ${gateway.demoKeys?.PRO}` },
        body: body ?? '',
      });
      expect(steady(await response.json())).toEqual(steady(JSON.parse(answer ?? '')));
    }
  });

  test('shows queries that are answered without an error', async () => {
    const examples = [...readme.matchAll(/```graphql\n([\s\S]*?)```/g)];
    expect(examples.length).toBeGreaterThan(0);
    for (const [, query] of examples) {
      const { data, errors } = await gateway.ask('PRO', query ?? '');
      expect([errors, data]).toEqual([undefined, expect.anything()]);
    }
  });

  test('shows refusals as they really are', async () => {
    const shown = /the mutation alike:\n\n```json\n([\s\S]*?)```/.exec(readme)?.[1] ?? '';
    const { data } = await gateway.ask<{ generate: unknown }>(
      'FREE',
      'mutation { generate(input: { prompt: "x", quality: PREMIUM, count: 5 }) { ... on Refused { refusals { __typename message ... on TierTooLow { requiredTier } ... on TooManyImages { requested limit } ... on InsufficientCredits { required available short } } } } }',
    );
    expect(steady(data?.generate)).toEqual(steady(JSON.parse(shown)));
  });

  test('lists exactly the settings that the program reads', () => {
    const code = readFileSync(join(root, 'src', 'config.ts'), 'utf8');
    const schema = code.slice(code.indexOf('const settings = '), code.indexOf('const SIGNING_KEY_LENGTH_MIN'));
    const read = [...schema.matchAll(/^ {2}([A-Z_]+):/gm)].map((match) => match[1]);
    const begin = readme.indexOf('| setting |');
    const table = readme.slice(begin, readme.indexOf('\n\n', begin));
    const listed = table
      .split('\n')
      .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([A-Z_]+)`/g)].map((match) => match[1]));
    expect(read.length).toBeGreaterThan(20);
    expect(listed.sort()).toEqual(read.sort());
  });

  test('has the tables that the code makes as it makes them; "npm run readme" writes them', async () => {
    await expect(withTables(readme)).toMatchFileSnapshot(join(root, 'README.md'));
    expect(operationsTable().split('\n').length).toBeGreaterThan(30);
  });

  test('names the recipes of the playground, with what each costs', () => {
    const table = readme.slice(readme.indexOf('| recipe |'));
    const rows = [...table.slice(0, table.indexOf('\n\n')).matchAll(/^\| ([^|]+?) \| [^|]+ \| (\d+) \|$/gm)];
    expect(rows.map(([, title, credits]) => [title, Number(credits)])).toEqual(
      Object.values(RECIPES).map(({ title, credits }) => [title, credits]),
    );
  });

  test('names only commands that there are', () => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      scripts: Record<string, string>;
    };
    const named = [...readme.matchAll(/npm (?:run )?([a-z:]+)/g)]
      .map((match) => match[1] ?? '')
      .filter((name) => !['ci', 'will', 'do'].includes(name));
    expect(named.filter((name) => !scripts[name])).toEqual([]);
  });
});
