import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import packageJson from '@graphql-yoga/render-graphiql/package.json' with { type: 'json' };
import type { FastifyInstance, FastifyPluginAsync } from 'fastify';
import livePackageJson from 'graphql-ws/package.json' with { type: 'json' };

/**
 * Starts GraphiQL with the settings that the page carries. Workers are files of ours instead of the blobs they usually
 * are, and what is remembered in the browser is kept apart by `memory`, so that a page with another key or other
 * examples starts afresh instead of showing stale ones.
 */
const BOOT = `'use strict';
{
  const { base, memory, endpoint, ...settings } = JSON.parse(document.getElementById('settings').textContent);
  self.MonacoEnvironment = {
    globalAPI: false,
    getWorkerUrl: (_module, label) => base + ({ json: 'json', graphql: 'graphql' }[label] ?? 'editor') + '.worker.js',
  };
  const storage = {
    getItem: (key) => localStorage.getItem(memory + key),
    setItem: (key, value) => localStorage.setItem(memory + key, value),
    removeItem: (key) => localStorage.removeItem(memory + key),
    clear: () => Object.keys(localStorage).filter((key) => key.startsWith(memory)).forEach((key) => localStorage.removeItem(key)),
    get length() {
      return Object.keys(localStorage).filter((key) => key.startsWith(memory)).length;
    },
  };
  const remembered = () => {
    try {
      const { tabs, activeTabIndex } = JSON.parse(storage.getItem('graphiql:tabState'));
      return tabs[activeTabIndex];
    } catch {
      return undefined;
    }
  };
  const isSubscription = (query, name) => {
    const bare = query.replace(/"""[^]*?"""|"(?:\\\\.|[^"\\\\])*"|#.*/g, '');
    const operations = [...bare.matchAll(/(?:^|})\\s*(query|mutation|subscription|{)\\s*(\\w*)/g)];
    return (operations.find((operation) => name && operation[2] === name) ?? operations[0])?.[1] === 'subscription';
  };
  // One connection a subscription, which ends with it: the next one may be under another key.
  const live = (payload, headers) => ({
    subscribe({ next, complete }) {
      const url = new URL(endpoint, location.href).href.replace(/^http/, 'ws');
      const client = graphqlWs.createClient({ url, connectionParams: headers, retryAttempts: 0 });
      const failed = (cause) => {
        const message = 'The connection was closed' + (cause.reason ? ': ' + cause.reason : '.');
        next({ errors: Array.isArray(cause) ? cause : [{ message }] });
        complete();
      };
      client.subscribe(payload, { next, complete, error: failed });
      return { unsubscribe: () => client.dispose() };
    },
  });
  const fetcher = async ({ query, variables, operationName }, { headers } = {}) => {
    // For a moment after a change of tabs GraphiQL still names the operation of the tab before.
    const named = operationName && query.includes(operationName) ? { operationName } : {};
    if (isSubscription(query, named.operationName)) return live({ query, variables, ...named }, headers);
    const response = await fetch(endpoint, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        accept: 'application/graphql-response+json, application/json',
        ...headers,
      },
      body: JSON.stringify({ query, variables, ...named }),
    });
    const text = await response.text();
    try {
      return JSON.parse(text);
    } catch {
      const message = 'The server answered ' + response.status + ' with something else than JSON: ';
      return { errors: [{ message: message + text.slice(0, 500) }] };
    }
  };
  // GraphiQL looks among its tabs for the one that it is told to begin with; told nothing, it opens an empty one more.
  const { query, variables, headers } = remembered() ?? settings.defaultTabs?.[0] ?? {};
  YogaGraphiQL.renderYogaGraphiQL(document.getElementById('root'), {
    ...settings,
    fetcher,
    initialQuery: query,
    initialVariables: variables,
    initialHeaders: headers ?? undefined,
    storage,
    // The default writes every keystroke into the address bar.
    onEditQuery: () => undefined,
  });
}
`;

const ICON = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#4338ca"/><path d="M5 25l7-10 5 7 4-5 6 8z" fill="#fff"/><circle cx="22" cy="10" r="3" fill="#fbbf24"/></svg>`;

const JAVASCRIPT = 'text/javascript; charset=utf-8';

interface File {
  readonly contentType: string;
  /** The big ones sit in one package of nine megabytes, which is loaded when somebody first opens the playground. */
  readonly text: () => Promise<string> | string;
}

const graphiql = () => import('@graphql-yoga/render-graphiql/graphiql');

const liveClient = () => {
  const { resolve } = createRequire(import.meta.url);
  return readFile(join(dirname(resolve('graphql-ws/package.json')), 'umd', 'graphql-ws.min.js'), 'utf8');
};

const FILES: Readonly<Record<string, File>> = {
  'boot.js': { contentType: JAVASCRIPT, text: () => BOOT },
  'icon.svg': { contentType: 'image/svg+xml', text: () => ICON },
  'graphiql.js': { contentType: JAVASCRIPT, text: async () => (await graphiql()).js },
  'graphiql.css': { contentType: 'text/css; charset=utf-8', text: async () => (await graphiql()).css },
  'graphql-ws.js': { contentType: JAVASCRIPT, text: liveClient },
  'editor.worker.js': { contentType: JAVASCRIPT, text: async () => (await graphiql()).editorWorkerService },
  'json.worker.js': { contentType: JAVASCRIPT, text: async () => (await graphiql()).jsonWorker },
  'graphql.worker.js': { contentType: JAVASCRIPT, text: async () => (await graphiql()).graphqlWorker },
};

const OURS = createHash('sha256').update(BOOT).update(ICON).digest('hex').slice(0, 8);
/** Names everything that the files hold, so that they can be cached for ever and are fetched anew when they change. */
const VERSION = `${packageJson.version}-${livePackageJson.version}-${OURS}`;

/** Where the files are served, with a slash at the end. */
export const PLAYGROUND_FILES = `/playground/${VERSION}/`;

/**
 * Compressed once a process, when first asked for. Brotli at level 5 takes 0.2 s for everything and is within 5 % of
 * the best that it can do.
 */
const ENCODINGS = {
  br: (bytes: Buffer) => promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 5 } }),
  gzip: (bytes: Buffer) => promisify(gzip)(bytes),
  identity: async (bytes: Buffer) => bytes,
} as const;
type Encoding = keyof typeof ENCODINGS;

function encodingFor(acceptEncoding: string | undefined): Encoding {
  const accepted = (acceptEncoding ?? '').split(',').filter((item) => !/;\s*q=0(\.0*)?\s*$/.test(item));
  const names = accepted.map((item) => item.split(';')[0]?.trim());
  return (['br', 'gzip'] as const).find((encoding) => names.includes(encoding)) ?? 'identity';
}

/** Serves the scripts and styles of the playground. They are public, the same for everyone, and hold no key. */
export const playgroundFiles: FastifyPluginAsync = async (app: FastifyInstance) => {
  const encoded = new Map<string, Promise<Buffer>>();

  async function read(file: File, encoding: Encoding): Promise<Buffer> {
    return ENCODINGS[encoding](Buffer.from(await file.text()));
  }

  app.get<{ Params: { name: string } }>(`${PLAYGROUND_FILES}:name`, async (request, reply) => {
    const { name } = request.params;
    const file = Object.hasOwn(FILES, name) ? FILES[name] : undefined;
    if (!file) return reply.callNotFound();
    const encoding = encodingFor(request.headers['accept-encoding']);
    const key = `${encoding}:${name}`;
    const bytes = encoded.get(key) ?? read(file, encoding);
    encoded.set(key, bytes);
    // A failure is not kept: the next visitor tries again.
    bytes.catch(() => encoded.delete(key));
    reply.headers({
      'cache-control': 'public, max-age=31536000, immutable',
      'x-content-type-options': 'nosniff',
      vary: 'accept-encoding',
      ...(encoding !== 'identity' && { 'content-encoding': encoding }),
    });
    return reply.type(file.contentType).send(await bytes);
  });
};
