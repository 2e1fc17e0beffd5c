import type { TestProject } from 'vitest/node';
import { startPostgres } from './postgres.ts';
import { buildProgram } from './program.ts';
import { startRedis } from './redis.ts';
import { makePgliteTemplate, makePostgresTemplate, type Templates } from './templates.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A real PostgreSQL in which tests may create databases, or why there is none. */
    postgres: { readonly url: string } | { readonly missing: string };
    /** A real Redis, or why there is none. */
    redis: { readonly url: string } | { readonly missing: string };
    templates: Templates;
  }
}

/**
 * Compiles the program, starts the real servers that tests need and makes what they copy databases from, once for the
 * whole run; stops and removes them after it.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await buildProgram();
  const [postgres, redis, pglite] = await Promise.all([startPostgres(), startRedis(), makePgliteTemplate()]);
  const template = 'url' in postgres ? await makePostgresTemplate(postgres.url) : null;
  project.provide('templates', { folder: pglite.folder, dump: pglite.dump, postgres: template?.name ?? null });
  project.provide('postgres', 'url' in postgres ? { url: postgres.url } : postgres);
  project.provide('redis', 'url' in redis ? { url: redis.url } : redis);
  for (const [name, server] of Object.entries({ PostgreSQL: postgres, Redis: redis })) {
    if ('missing' in server) {
      const message = `Tests that need ${name} are SKIPPED: ${server.missing}`;
      // The build machine has everything, so a missing part there is a broken build and not a reason to skip.
      if (process.env.CI) throw new Error(message);
      process.stderr.write(`\n${message}\n\n`);
    }
  }
  return async () => {
    pglite.remove();
    await template?.remove();
    if ('url' in postgres) await postgres.stop();
    if ('url' in redis) await redis.stop();
  };
}
