import { PROVIDER_NAMES, PROVIDER_TITLES } from './catalog/models.ts';
import type { Config } from './config.ts';
import type { Gateway } from './outside.ts';

/** What a person needs to know at the start: where it is, what it runs on, and two commands that work as they stand. */
export function banner(config: Config, gateway: Gateway): string {
  const { url, demoKeys, sandbox } = gateway;
  const endpoint = `${config.publicUrl ?? url}/graphql`;
  const lines = [
    '',
    `Image Studio Gateway is ready at ${endpoint}${config.playground ? ' (open it in a browser for the playground)' : ''}`,
    '',
    `  database     ${config.databaseUrl === null ? `embedded, in ${config.dataDir}: for development, one process, safe under kill but not under power loss` : 'Postgres'}`,
    `  cache        ${config.redisUrl === null ? 'in this process' : 'Redis'}`,
    `  pictures     ${config.storage}`,
    ...PROVIDER_NAMES.map(
      (name) => `  ${name.padEnd(12)} ${config.providers[name].mode.toLowerCase().padEnd(8)} ${PROVIDER_TITLES[name]}`,
    ),
    ...(sandbox
      ? [
          `  sandbox      ${sandbox.origin}/_sandbox/journal: what was ordered; ${sandbox.origin}/_sandbox/faults: what can go wrong`,
        ]
      : []),
  ];
  if (!demoKeys) return `${lines.join('\n')}\n\n`;
  return `${[
    ...lines,
    '',
    'Demo keys, for development:',
    ...Object.entries(demoKeys).map(([name, key]) => `  ${name.padEnd(10)} ${key}`),
    '',
    'What would two pictures cost?',
    curl(
      endpoint,
      demoKeys.PRO,
      '{ estimateGenerate(input: { prompt: "a lighthouse at dawn", template: "instagram_feed_portrait", count: 2 }) { credits lines { label quantity credits } balanceBefore balanceAfter preflight { ok } } }',
    ),
    '',
    'Draw one, and wait for it:',
    curl(
      endpoint,
      demoKeys.PRO,
      'mutation { generate(input: { prompt: "a lighthouse at dawn", width: 1080, height: 1350 }, waitSeconds: 30) { ... on Submission { job { id status images { asset { url width height } } receipt { quoted captured released } } } ... on Refused { refusals { message } } } }',
    ),
    '',
  ].join('\n')}\n`;
}

function curl(endpoint: string, key: string, query: string): string {
  return `curl -s ${endpoint} -H 'content-type: application/json' -H 'authorization: Bearer ${key}' -d '${JSON.stringify({ query })}'`;
}
