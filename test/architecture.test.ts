import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

const SRC = join(import.meta.dirname, '..', 'src');

/** Who may import whom. `errors.ts` is open to all; the files beside it are the ones that put the house together. */
const DOMAIN = [
  'accounts',
  'assets',
  'catalog',
  'credits',
  'estimates',
  'jobs',
  'pricing',
  'routing',
  'social',
  'tiers',
  'usage',
];
const MAY_IMPORT: Record<string, readonly string[]> = {
  platform: ['config'],
  catalog: [],
  accounts: ['platform'],
  credits: ['platform'],
  assets: ['platform'],
  pricing: ['catalog', 'platform'],
  providers: ['catalog', 'platform'],
  routing: ['providers', 'catalog', 'platform'],
  tiers: ['pricing', 'credits', 'accounts', 'catalog', 'platform'],
  social: ['assets', 'catalog', 'platform'],
  estimates: ['routing', 'pricing', 'tiers', 'credits', 'accounts', 'assets', 'social', 'catalog', 'platform'],
  jobs: [
    'estimates',
    'routing',
    'pricing',
    'tiers',
    'credits',
    'accounts',
    'providers',
    'assets',
    'social',
    'catalog',
    'platform',
  ],
  usage: ['jobs', 'credits', 'assets', 'pricing', 'catalog', 'platform'],
  graph: [...DOMAIN, 'platform'],
  sandbox: [],
  web: [],
};

interface Source {
  /** Path below src, such as `jobs/job.ts`. */
  readonly path: string;
  readonly text: string;
}

const sources: Source[] = readdirSync(SRC, { recursive: true, encoding: 'utf8' })
  .filter((path) => path.endsWith('.ts'))
  .map((path) => ({ path, text: readFileSync(join(SRC, path), 'utf8') }));

function importsOf({ text }: Source): string[] {
  return [
    ...text.matchAll(
      /(?:^|\n)\s*(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?['"]([^'"]+)['"]|import\(['"]([^'"]+)['"]\)/g,
    ),
  ].map((match) => match[1] ?? match[2] ?? '');
}

/** The path below src that a relative import means, or null for a package. */
function target({ path }: Source, specifier: string): string | null {
  return specifier.startsWith('.') ? relative(SRC, join(SRC, dirname(path), specifier)) : null;
}

const folderOf = (path: string): string | null => (path.includes('/') ? (path.split('/')[0] ?? null) : null);
/** The files that put the house together may see everything. */
const AT_THE_DOOR = new Set([
  'main.ts',
  'compose.ts',
  'config.ts',
  'errors.ts',
  'banner.ts',
  'commands.ts',
  'domain.ts',
  'open-parts.ts',
  'outside.ts',
  'demo-accounts.ts',
  'laws.ts',
  'library.ts',
  'vendors.ts',
]);

function brokenImports(all: readonly Source[]): string[] {
  return all.flatMap((source) => {
    const from = folderOf(source.path);
    if (from === null) return AT_THE_DOOR.has(source.path) ? [] : [`${source.path} belongs in a folder`];
    const allowed = MAY_IMPORT[from];
    if (!allowed) return [`${source.path}: the folder ${from} is not in the plan of the house`];
    return importsOf(source).flatMap((specifier) => {
      const to = target(source, specifier);
      if (to === null || to === 'errors.ts') return [];
      if (to.startsWith('..')) return [`${source.path} reaches out of src: ${specifier}`];
      const folder = folderOf(to) ?? basename(to, '.ts');
      if (folder !== from && !allowed.includes(folder)) return [`${source.path} may not import ${to}`];
      return to.endsWith('.store.ts') && folder !== from
        ? [`${source.path} uses the store of ${folder}; only its service may`]
        : [];
    });
  });
}

interface Ban {
  readonly what: RegExp;
  readonly instead: string;
  readonly except: (path: string) => boolean;
}

const BANS: readonly Ban[] = [
  { what: /\bprocess\.env\b/, instead: 'a setting of config.ts', except: (path) => path === 'config.ts' },
  {
    what: /from 'kysely(\/migration)?'|from 'pg'/,
    instead: 'a *.store.ts or platform',
    except: (path) => /\.(store|tables)\.ts$/.test(path) || path.startsWith('platform/'),
  },
  {
    what: /\bfetch\(|from 'undici'|(?<!(?:^|\n)import type [^\n]*)from 'node:https?'/,
    instead: 'the guarded client of platform/outbound.ts',
    except: (path) => /^(platform\/outbound|sandbox\/|web\/)/.test(path),
  },
  { what: /[:<|]\s*any\s*[;,)>|=\]]|\bas any\b|@ts-(ignore|expect-error)/, instead: 'a type', except: () => false },
  { what: /(^|\n)export \* from/, instead: 'an import of the file itself', except: () => false },
  { what: /\bMath\.random\(/, instead: 'node:crypto', except: () => false },
];
const UNFINISHED = /\b(TODO|FIXME|XXX|HACK)\b/;
const BANNED_NAMES = /(^|\/)(index|utils?|helpers?|common|misc)(\.ts|\/)/;
const LINES_MAX = 300;
/** One idea that needs more room, with the reason. */
const LONGER: Record<string, string> = {
  'catalog/templates.ts': 'a table of data',
};

/** Prose may name what code may not do. */
const withoutComments = (text: string) => text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*/g, '$1');

function brokenRules(all: readonly Source[]): string[] {
  return all.flatMap(({ path, text }) => [
    ...(UNFINISHED.test(text) ? [`${path} has ${UNFINISHED}: do the work, or write an issue`] : []),
    ...BANS.filter(({ what, except }) => what.test(withoutComments(text)) && !except(path)).map(
      ({ what, instead }) => `${path} has ${what}: use ${instead}`,
    ),
    ...(BANNED_NAMES.test(path) ? [`${path}: a name that says nothing`] : []),
    ...(text.split('\n').length - 1 > LINES_MAX && !LONGER[path]
      ? [`${path} has more than ${LINES_MAX} lines: two ideas in one room`]
      : []),
  ]);
}

function loops(all: readonly Source[]): string[] {
  const edges = new Map(
    all.map((source) => [source.path, importsOf(source).flatMap((specifier) => target(source, specifier) ?? [])]),
  );
  const done = new Set<string>();
  const found: string[] = [];
  const visit = (path: string, trail: readonly string[]) => {
    if (trail.includes(path)) found.push([...trail.slice(trail.indexOf(path)), path].join(' -> '));
    if (done.has(path) || trail.includes(path)) return;
    for (const next of edges.get(path) ?? []) visit(next, [...trail, path]);
    done.add(path);
  };
  for (const path of edges.keys()) visit(path, []);
  return found;
}

describe('the house', () => {
  test('every import follows the plan of who may import whom', () => {
    expect(brokenImports(sources)).toEqual([]);
  });

  test('every file keeps the rules of the house', () => {
    expect(brokenRules(sources)).toEqual([]);
  });

  test('no imports go round in a circle', () => {
    expect(loops(sources)).toEqual([]);
  });

  test('every longer file that is allowed still is one', () => {
    expect(
      Object.keys(LONGER).filter(
        (path) => (sources.find((source) => source.path === path)?.text.split('\n').length ?? 0) <= LINES_MAX,
      ),
    ).toEqual([]);
  });
});

describe('the rules themselves', () => {
  const source = (path: string, text: string): Source => ({ path, text });

  test.each([
    ['a domain that knows the outside', source('credits/a.ts', "import { X } from '../graph/x.ts';")],
    ['a type import counts too', source('catalog/a.ts', "import type { X } from '../pricing/x.ts';")],
    ['a foreign store', source('jobs/a.ts', "import { X } from '../credits/credits.store.ts';")],
    ['graph beside a provider', source('graph/a.ts', "import { X } from '../providers/provider.ts';")],
    ['an import over several lines', source('platform/a.ts', "import {\n  A,\n  B,\n} from '../jobs/job.ts';")],
    ['an import at run time', source('sandbox/a.ts', "const x = await import('../errors/../catalog/models.ts');")],
    ['a way out of src', source('web/a.ts', "import x from '../../test/x.ts';")],
    ['an unknown room', source('helpers/a.ts', '')],
    ['a file on the doorstep', source('stray.ts', '')],
  ])('an import against the plan is found: %s', (_, broken) => {
    expect(brokenImports([broken])).toHaveLength(1);
  });

  test.each([
    ['process.env', source('jobs/a.ts', 'process.env.X')],
    ['SQL outside a store', source('jobs/a.ts', "import { sql } from 'kysely';")],
    ['a call past the guard', source('providers/a.ts', 'await fetch(url)')],
    ['any', source('jobs/a.ts', 'let x: any;')],
    ['a barrel', source('jobs/a.ts', "export * from './b.ts';")],
    ['a name that says nothing', source('jobs/utils.ts', '')],
    ['a long file', source('jobs/a.ts', '\n'.repeat(301))],
  ])('a broken rule is found: %s', (_, broken) => {
    expect(brokenRules([broken])).toHaveLength(1);
  });

  test('a circle is found', () => {
    expect(loops([source('a/a.ts', "import './b.ts';"), source('a/b.ts', "import './a.ts';")])).toEqual([
      'a/a.ts -> a/b.ts -> a/a.ts',
    ]);
  });
});
