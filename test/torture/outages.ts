import { setTimeout as wait } from 'node:timers/promises';
import type { Random } from './random.ts';
import type { Stage } from './stage.ts';
import type { Tally } from './tally.ts';

interface Server {
  kill(): Promise<void>;
  restart(): Promise<void>;
}

/** Measured in ends of processes and not in time, so that on a busy machine there is time for something between two. */
const ENDS_BETWEEN = [3, 9] as const;
const AWAY_MS_MAX = 2_500;
const LOOK_AGAIN_MS = 200;

/** Kills PostgreSQL and Redis every so often and starts them again, until `over`. Resolves with both of them up. */
export async function runOutages(stage: Stage, random: Random, kills: Tally, over: AbortSignal): Promise<void> {
  const servers: [string, Server | null][] = [
    ['PostgreSQL', stage.postgres],
    ['Redis', stage.redis],
  ];
  await Promise.all(
    servers.map(
      ([name, server]) =>
        server && killAgainAndAgain(name, server, random.branch(name), { kills, log: stage.log }, over),
    ),
  );
}

async function killAgainAndAgain(
  name: string,
  server: Server,
  random: Random,
  { kills, log }: { kills: Tally; log: (text: string) => void },
  over: AbortSignal,
): Promise<void> {
  const pause = (ms: number) => wait(ms, undefined, { signal: over }).catch(() => undefined);
  for (;;) {
    const next = kills.total + random.whole(...ENDS_BETWEEN);
    while (kills.total < next && !over.aborted) await pause(LOOK_AGAIN_MS);
    if (over.aborted) return;
    log(`${name} is killed`);
    await server.kill();
    kills.add(`${name} killed`);
    await pause(random.whole(0, AWAY_MS_MAX));
    await server.restart();
    log(`${name} is up`);
  }
}
