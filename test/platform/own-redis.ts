import { inject } from 'vitest';
import { launchRedis } from '../support/redis.ts';
import { findProgram } from '../support/server-process.ts';

const shared = inject('redis');
const program = 'url' in shared ? (findProgram('redis-server') ?? findProgram('valkey-server')) : null;

/** Whether a Redis can be started here that a test may empty, stop and kill. */
export const hasOwnRedis = program !== null;

if ('url' in shared && program === null)
  process.stderr.write(
    '\nTests that stop and kill a Redis are SKIPPED: the one given may not be, and no redis-server is installed\n\n',
  );

/** Starts one on this port. */
export function launchOwnRedis(port: number): ReturnType<typeof launchRedis> {
  if (program === null) throw new Error('no redis-server is installed');
  return launchRedis(program, port);
}
