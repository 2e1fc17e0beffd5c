import type { TestProject } from 'vitest/node';
import { startPostgres } from './postgres.ts';
import { buildProgram } from './program.ts';
import { startRedis } from './redis.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** A real PostgreSQL in which tests may create databases, or why there is none. */
    postgres: { readonly url: string } | { readonly missing: string };
    /** A real Redis, or why there is none. */
    redis: { readonly url: string } | { readonly missing: string };
  }
}

/** Compiles the program and starts the real servers that tests need, once for the whole run; stops them after it. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await buildProgram();
  const [postgres, redis] = await Promise.all([startPostgres(), startRedis()]);
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
    if ('url' in postgres) await postgres.stop();
    if ('url' in redis) await redis.stop();
  };
}
