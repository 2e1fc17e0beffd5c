import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { generate } from '@graphql-codegen/cli';
import { expect, test } from 'vitest';
import config from '../../graphql.config.json' with { type: 'json' };

const ROOT = join(import.meta.dirname, '..', '..');

test('the types of the client are those of the schema and of its documents (npm run client writes them)', async () => {
  const { schema, documents, extensions } = config;
  const files: { filename: string; content: string }[] = await generate(
    { schema, documents, ...(extensions.codegen as object), cwd: ROOT, silent: true, errorsOnly: true } as never,
    false,
  );
  expect(files.map(({ filename }) => filename)).toContain('test/client/generated/graphql.ts');
  for (const { filename, content } of files)
    expect(content, `${filename} is out of date: npm run client`).toBe(readFileSync(join(ROOT, filename), 'utf8'));
});
