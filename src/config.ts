import { isAbsolute, resolve } from 'node:path';
import { z } from 'zod';

/** A setting that is missing or wrong. Start prints the message and exits; nothing has been opened yet. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

const flag = z.enum(['true', 'false']).transform((text) => text === 'true');
const port = z.coerce.number().int().min(0).max(65_535);
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== ''),
);
const concurrency = z.coerce.number().int().min(1).max(1_000);
const hostAndPort = /^(?:\[[0-9a-f:]+\]|[a-z0-9.-]+):\d{1,5}$/i;
const httpUrl = z
  .url({ protocol: /^https?$/, error: 'must be an http or https URL' })
  .transform((url) => url.replace(/\/+$/, ''));
const providerName = z.enum(['stability', 'wavespeed', 'huggingface', 'gemini']);

/** Every setting, its form and its default. The README's table is written from this list. */
const settings = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production']).default('development'),
  ROLE: z.enum(['all', 'gateway', 'worker']).default('all'),
  HOST: z.string().min(1).optional(),
  PORT: port.default(4000),
  PUBLIC_URL: httpUrl.optional(),
  DATA_DIR: z.string().min(1).default('data'),
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/, error: 'must be a postgres:// URL' }).optional(),
  DATABASE_POOL_MAX: z.coerce.number().int().min(2).max(200).default(16),
  REDIS_URL: z.url({ protocol: /^rediss?$/, error: 'must be a redis:// or rediss:// URL' }).optional(),
  STORAGE: z
    .string()
    .regex(/^(?!\w+:\/\/)/, 'must be a folder; URLs are not known here')
    .optional(),
  TRASH_DAYS: z.coerce.number().int().min(0).max(3_650).default(30),
  SIGNING_KEYS: list.optional(),
  PROVIDERS: list.pipe(z.array(providerName).min(1)).optional(),
  STABILITY_API_KEY: z.string().min(1).optional(),
  WAVESPEED_API_KEY: z.string().min(1).optional(),
  HF_TOKEN: z.string().min(1).optional(),
  GEMINI_API_KEY: z.string().min(1).optional(),
  STABILITY_BASE_URL: httpUrl.optional(),
  WAVESPEED_BASE_URL: httpUrl.optional(),
  HF_BASE_URL: httpUrl.optional(),
  GEMINI_BASE_URL: httpUrl.optional(),
  VERTEX_PROJECT: z
    .string()
    .regex(/^[a-z][a-z0-9:.-]{4,62}$/, 'must be the id of a Google Cloud project')
    .optional(),
  VERTEX_LOCATION: z
    .string()
    .regex(/^[a-z][a-z0-9-]{2,40}$/, 'must be a Google Cloud location, such as us-central1 or global')
    .optional(),
  VERTEX_BASE_URL: httpUrl.optional(),
  STABILITY_CONCURRENCY: concurrency.default(16),
  WAVESPEED_CONCURRENCY: concurrency.default(3),
  HF_CONCURRENCY: concurrency.default(16),
  GEMINI_CONCURRENCY: concurrency.default(16),
  WEBHOOKS: flag.optional(),
  OUTBOUND_ALLOW: list
    .pipe(z.array(z.string().regex(hostAndPort, 'must be host:port pairs, such as 127.0.0.1:5555')))
    .default([]),
  SANDBOX_LATENCY: z.coerce.number().min(0).max(10).default(1),
  SANDBOX_FAULTS: z.string().optional(),
  CREDIT_VALUE_USD: z.coerce.number().positive().max(1_000).default(0.01),
  READS_PER_MINUTE: z.coerce.number().int().min(0).default(6_000),
  PLAYGROUND: flag.optional(),
  INTROSPECTION: flag.optional(),
  npm_lifecycle_event: z.string().optional(),
  LOG_PROMPTS: flag.default(false),
  OTEL_EXPORTER_OTLP_ENDPOINT: httpUrl.optional(),
  LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'silent']).default('info'),
});

const SIGNING_KEY_LENGTH_MIN = 32;

export type ProviderSetting =
  | { readonly mode: 'LIVE'; readonly apiKey: string; readonly baseUrl: string | null }
  | { readonly mode: 'SANDBOX' }
  | { readonly mode: 'OFF' };

export interface Config {
  readonly environment: 'development' | 'test' | 'production';
  readonly role: 'all' | 'gateway' | 'worker';
  readonly host: string;
  readonly port: number;
  /** Where clients reach us; null means the address that is listened on. */
  readonly publicUrl: string | null;
  readonly dataDir: string;
  /** Null: PGlite, embedded, in `dataDir`. */
  readonly databaseUrl: string | null;
  readonly databasePoolMax: number;
  /** Null: everything that Redis would do is done in process. */
  readonly redisUrl: string | null;
  /** The folder that pictures are kept in. */
  readonly storage: string;
  /** How long deleted assets can be had back. */
  readonly trashDays: number;
  /** Null: made once and kept in `dataDir` (development only). */
  readonly signingKeys: readonly string[] | null;
  readonly providers: Readonly<Record<'stability' | 'wavespeed' | 'huggingface' | 'gemini', ProviderSetting>>;
  /** Where Imagen lives on; null for a gateway without it. */
  readonly vertex: { readonly project: string; readonly location: string; readonly baseUrl: string | null } | null;
  /** How many images of this process each provider draws at once; the others wait. */
  readonly concurrency: Readonly<Record<'stability' | 'wavespeed' | 'huggingface' | 'gemini', number>>;
  /** Whether live vendors may report finished jobs to `publicUrl`. The sandbox always does. */
  readonly webhooks: boolean;
  readonly outboundAllow: readonly string[];
  /** The same for addresses that users name: nothing in production, where it would let them into the operator's network. */
  readonly importAllow: readonly string[];
  /** 0: vendors answer at once; 1: they take as long as the real ones usually do. */
  readonly sandboxLatency: number;
  /** Faults of the sandbox, such as `5% status=503; 2% never`; null for none. */
  readonly sandboxFaults: string | null;
  /** What a credit is taken to be worth in the operator's reports, in US dollars. Nothing is charged by it. */
  readonly creditValueUsd: number;
  /** Queries a minute and account before they are called abuse; 0 switches the limit off. */
  readonly readsPerMinute: number;
  readonly playground: boolean;
  readonly introspection: boolean;
  readonly logLevel: string;
  /** Whether prompts may stand in the log. */
  readonly logPrompts: boolean;
  /** Where traces are sent, as OTLP over HTTP; null for nowhere. */
  readonly traceEndpoint: string | null;
  /** Whether an npm script runs us: npm then stands between us and whoever stops it. */
  readonly startedByNpm: boolean;
}

/**
 * Turns the environment into a checked, frozen Config.
 * @throws ConfigError that names every setting that is missing or wrong, with what is wrong about it.
 */
export function readConfig(environment: Readonly<Record<string, string | undefined>> = process.env): Config {
  const given = Object.fromEntries(
    Object.entries(environment).flatMap(([name, text]) => (text?.trim() ? [[name, text.trim()]] : [])),
  );
  const parsed = settings.safeParse(given);
  const misread = new Map(parsed.error?.issues.map((issue) => [String(issue.path[0]), issue.message]));
  // What cannot be read counts as left out here, so that one start tells everything that is wrong.
  const value = parsed.data ?? settings.parse(without(given, misread));
  const production = value.NODE_ENV === 'production';
  const providers = readProviders(value, production);
  const problems = [
    ...[...misread].map(([name, message]): Problem => [name, `${name}=${shown(name, given[name])}: ${message}`]),
    ...[
      ...signingKeyProblems(value.SIGNING_KEYS),
      ...(production ? productionProblems(value) : []),
      ...roleProblems(value),
      ...vertexProblems(value, providers.settings.gemini),
      ...webhookProblems(value),
      ...providers.problems,
    ].filter(([name]) => !misread.has(name)),
  ];
  if (problems.length > 0) throw new ConfigError(problems.map(([, message]) => message).join('\n'));
  const dataDir = absolute(value.DATA_DIR);
  return Object.freeze({
    environment: value.NODE_ENV,
    role: value.ROLE,
    host: value.HOST ?? (production ? '0.0.0.0' : '127.0.0.1'),
    port: value.PORT,
    publicUrl: value.PUBLIC_URL ?? null,
    dataDir,
    databaseUrl: value.DATABASE_URL ?? null,
    databasePoolMax: value.DATABASE_POOL_MAX,
    redisUrl: value.REDIS_URL ?? null,
    trashDays: value.TRASH_DAYS,
    storage: value.STORAGE ? absolute(value.STORAGE) : resolve(dataDir, 'assets'),
    signingKeys: value.SIGNING_KEYS ?? null,
    providers: providers.settings,
    vertex:
      value.VERTEX_PROJECT !== undefined && value.VERTEX_LOCATION !== undefined
        ? { project: value.VERTEX_PROJECT, location: value.VERTEX_LOCATION, baseUrl: value.VERTEX_BASE_URL ?? null }
        : null,
    concurrency: {
      stability: value.STABILITY_CONCURRENCY,
      wavespeed: value.WAVESPEED_CONCURRENCY,
      huggingface: value.HF_CONCURRENCY,
      gemini: value.GEMINI_CONCURRENCY,
    },
    webhooks: value.WEBHOOKS ?? value.PUBLIC_URL?.startsWith('https:') ?? false,
    outboundAllow: value.OUTBOUND_ALLOW,
    importAllow: production ? [] : value.OUTBOUND_ALLOW,
    sandboxLatency: value.SANDBOX_LATENCY,
    sandboxFaults: value.SANDBOX_FAULTS ?? null,
    creditValueUsd: value.CREDIT_VALUE_USD,
    readsPerMinute: value.READS_PER_MINUTE,
    playground: value.PLAYGROUND ?? !production,
    introspection: value.INTROSPECTION ?? !production,
    logLevel: value.LOG_LEVEL,
    logPrompts: value.LOG_PROMPTS,
    traceEndpoint: value.OTEL_EXPORTER_OTLP_ENDPOINT ?? null,
    startedByNpm: value.npm_lifecycle_event === 'start',
  });
}

type Settings = z.infer<typeof settings>;
type Problem = readonly [setting: string, message: string];

function without(given: Readonly<Record<string, string>>, names: ReadonlyMap<string, unknown>) {
  return Object.fromEntries(Object.entries(given).filter(([name]) => !names.has(name)));
}

function readProviders(value: Settings, production: boolean): { settings: Config['providers']; problems: Problem[] } {
  const keys = {
    stability: [value.STABILITY_API_KEY, value.STABILITY_BASE_URL, 'STABILITY_API_KEY'],
    wavespeed: [value.WAVESPEED_API_KEY, value.WAVESPEED_BASE_URL, 'WAVESPEED_API_KEY'],
    huggingface: [value.HF_TOKEN, value.HF_BASE_URL, 'HF_TOKEN'],
    gemini: [value.GEMINI_API_KEY, value.GEMINI_BASE_URL, 'GEMINI_API_KEY'],
  } as const;
  const problems: Problem[] = [];
  const read = (name: keyof typeof keys): ProviderSetting => {
    const [apiKey, baseUrl, keyName] = keys[name];
    const mustBeLive = value.PROVIDERS?.includes(name) ?? production;
    if (apiKey !== undefined) return { mode: 'LIVE', apiKey, baseUrl: baseUrl ?? null };
    if (!mustBeLive) return production ? { mode: 'OFF' } : { mode: 'SANDBOX' };
    const remedy =
      production && value.PROVIDERS === undefined ? ', or name in PROVIDERS the vendors to use without it' : '';
    problems.push([keyName, `${keyName} is missing: ${name} must be live${remedy}`]);
    return { mode: 'OFF' };
  };
  return {
    settings: {
      stability: read('stability'),
      wavespeed: read('wavespeed'),
      huggingface: read('huggingface'),
      gemini: read('gemini'),
    },
    problems,
  };
}

/** Production falls back to nothing silently: embedded parts and made-up keys are for development. */
function productionProblems(value: Settings): Problem[] {
  const needed = {
    DATABASE_URL: 'a Postgres database; the embedded one is for development',
    REDIS_URL: 'a Redis for limits and events across processes',
    SIGNING_KEYS: 'keys that sign quotes and picture URLs',
    PUBLIC_URL: 'the address that clients reach this gateway at',
    STORAGE: 'the folder that pictures are kept in',
  } as const;
  return Object.entries(needed)
    .filter(([name]) => value[name as keyof typeof needed] === undefined)
    .map(([name, what]) => [name, `${name} is missing: production needs ${what}`]);
}

function roleProblems({ ROLE, DATABASE_URL }: Settings): Problem[] {
  if (ROLE === 'all' || DATABASE_URL !== undefined) return [];
  const why = 'several processes need DATABASE_URL, because the embedded database serves one process only';
  return [['DATABASE_URL', `ROLE=${ROLE}: ${why}`]];
}

function vertexProblems(value: Settings, gemini: ProviderSetting): Problem[] {
  const { VERTEX_PROJECT: project, VERTEX_LOCATION: location, VERTEX_BASE_URL: baseUrl } = value;
  if (project === undefined && location === undefined) {
    return baseUrl === undefined
      ? []
      : [['VERTEX_BASE_URL', 'VERTEX_BASE_URL has no meaning without VERTEX_PROJECT and VERTEX_LOCATION']];
  }
  if (project === undefined) return [['VERTEX_PROJECT', 'VERTEX_PROJECT is missing: VERTEX_LOCATION needs it']];
  if (location === undefined) return [['VERTEX_LOCATION', 'VERTEX_LOCATION is missing: VERTEX_PROJECT needs it']];
  return gemini.mode === 'OFF'
    ? [['GEMINI_API_KEY', 'GEMINI_API_KEY is missing: VERTEX_PROJECT adds Imagen to gemini, which is off']]
    : [];
}

function webhookProblems({ WEBHOOKS, PUBLIC_URL }: Settings): Problem[] {
  return WEBHOOKS && PUBLIC_URL === undefined
    ? [['PUBLIC_URL', 'PUBLIC_URL is missing: WEBHOOKS=true needs an address that vendors can report to']]
    : [];
}

function signingKeyProblems(keys: readonly string[] | undefined): Problem[] {
  if (keys === undefined) return [];
  if (keys.length === 0)
    return [['SIGNING_KEYS', 'SIGNING_KEYS is empty: give at least one key, or leave it out in development']];
  return keys.some((key) => key.length < SIGNING_KEY_LENGTH_MIN)
    ? [['SIGNING_KEYS', `SIGNING_KEYS: every key must have at least ${SIGNING_KEY_LENGTH_MIN} characters`]]
    : [];
}

const SECRET = /KEY|TOKEN|_URL$/;

/** A bad value is shown so that it can be found and mended, but never a secret. */
function shown(name: string, value: string | undefined): string {
  if (value === undefined) return '(not set)';
  return SECRET.test(name) ? '(hidden)' : JSON.stringify(value);
}

function absolute(path: string): string {
  return isAbsolute(path) ? path : resolve(process.cwd(), path);
}
