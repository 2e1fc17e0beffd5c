import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { FastifyPluginAsync, FastifyReply } from 'fastify';
import type { PlaygroundTab } from './examples.ts';
import { PLAYGROUND_FILES, playgroundFiles } from './playground-files.ts';

export interface PlaygroundOptions {
  /** A path of this server; the page asks nobody else anything. */
  readonly endpoint: string;
  /** Put into the headers editor of every tab, so that the examples run at once; null for none. */
  readonly demoKey: string | null;
  readonly tabs: readonly PlaygroundTab[];
}

const TITLE = 'Image Studio Gateway';

/** Nothing from outside, no inline script. The editor draws itself with inline styles and fonts in its style sheet. */
const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "worker-src 'self'",
  "connect-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "font-src 'self' data:",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const PAGE_HEADERS = {
  'content-type': 'text/html; charset=utf-8',
  'content-security-policy': CONTENT_SECURITY_POLICY,
  // The page carries a key, and the same address answers programs with JSON.
  'cache-control': 'no-store',
  vary: 'accept',
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
} as const;

export interface Playground {
  /** Whether a GET comes from a person's browser, as opposed to a program that asks for JSON. */
  wants(headers: IncomingHttpHeaders): boolean;
  /** Answers with the page. */
  send(reply: FastifyReply): FastifyReply;
  /** The routes of the page's scripts and styles. */
  readonly files: FastifyPluginAsync;
}

/** GraphiQL with our examples, from this server alone. */
export function createPlayground(options: PlaygroundOptions): Playground {
  const page = playgroundPage(options);
  return {
    wants: wantsPlayground,
    send: (reply) => reply.headers(PAGE_HEADERS).send(page),
    files: playgroundFiles,
  };
}

/** Browsers name HTML when they open a page; programs name JSON, or anything. */
export function wantsPlayground({ accept = '' }: IncomingHttpHeaders): boolean {
  return accept.includes('text/html') && !accept.includes('json');
}

/** The page: a few kilobytes, with everything heavy in files that browsers cache. */
export function playgroundPage({ endpoint, demoKey, tabs }: PlaygroundOptions): string {
  const headers = demoKey === null ? undefined : JSON.stringify({ Authorization: `Bearer ${demoKey}` }, null, 2);
  const settings = {
    base: PLAYGROUND_FILES,
    memory: `playground:${fingerprint([demoKey, tabs])}:`,
    endpoint,
    title: TITLE,
    logo: `<img src="${PLAYGROUND_FILES}icon.svg" alt="" width="32" height="32">`,
    headers,
    // GraphiQL cannot do without a tab; left to itself it opens an empty one.
    ...(tabs.length > 0 && { defaultTabs: tabs.map((tab) => ({ ...tab, headers })) }),
  };
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${TITLE} playground</title>
<link rel="icon" href="${PLAYGROUND_FILES}icon.svg">
<link rel="stylesheet" href="${PLAYGROUND_FILES}graphiql.css">
<script defer src="${PLAYGROUND_FILES}graphiql.js"></script>
<script defer src="${PLAYGROUND_FILES}graphql-ws.js"></script>
<script defer src="${PLAYGROUND_FILES}boot.js"></script>
<style>html, body, #root, #root > .graphiql-container { height: 100%; margin: 0 }
#root > p { font: 1rem system-ui; margin: 0; padding: 2rem }
/* GraphiQL's tabs jump away under the first press on them, so that it is lost; this holds them still. */
.graphiql-tab { transform: none !important }</style>
</head>
<body>
<div id="root"><p>Opening the playground…</p></div>
<noscript><p>The playground needs JavaScript. Programs send their queries to ${endpoint} by POST and subscribe there over a WebSocket.</p></noscript>
<script type="application/json" id="settings">${inScript(settings)}</script>
</body>
</html>
`;
}

/** JSON that cannot end the script element it stands in. */
function inScript(value: object): string {
  return JSON.stringify(value).replaceAll('<', '\\u003c');
}

/** Changes with the key and the examples, and gives neither away. */
function fingerprint(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 12);
}
