import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '..');

test('the README lists exactly the settings that the program reads', () => {
  const code = readFileSync(join(root, 'src', 'config.ts'), 'utf8');
  const schema = code.slice(code.indexOf('const settings = '), code.indexOf('const SIGNING_KEY_LENGTH_MIN'));
  const read = [...schema.matchAll(/^ {2}([A-Z_]+):/gm)].map((match) => match[1]);
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  const table = readme.slice(readme.indexOf('| setting |'), readme.indexOf('`GET /live`'));
  const listed = table
    .split('\n')
    .flatMap((line) => [...(line.split('|')[1] ?? '').matchAll(/`([A-Z_]+)`/g)].map((match) => match[1]));
  expect(read.length).toBeGreaterThan(20);
  expect(listed.sort()).toEqual(read.sort());
});
