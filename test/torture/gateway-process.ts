import { join } from 'node:path';

/**
 * One gateway as a process of its own, from the compiled program, impatient enough for a run of minutes. It is told by
 * its environment at which step it dies; whoever started it hears of its address, and takes it along when it goes.
 */
const compiled = join(import.meta.dirname, '..', '..', 'dist');
const { startGateway } = (await import(`${compiled}/compose.js`)) as typeof import('../../src/compose.ts');
const { readConfig } = (await import(`${compiled}/config.js`)) as typeof import('../../src/config.ts');
const { armCrashPoint, CRASH_POINTS } = (await import(
  `${compiled}/platform/crash-points.js`
)) as typeof import('../../src/platform/crash-points.ts');

const CIRCUITS = { failuresMax: 5, openMsMin: 100, openMsMax: 400, shutMsMax: 500 };
/** A lease is shorter than a process can be frozen for, so that frozen ones wake up to find their jobs in other hands. */
const RUNNER_TIMES = {
  lease: 2_500,
  leaseRenew: 700,
  sweep: 500,
  wakeLost: 1_000,
  leftBehind: 1_000,
  leftBehindAge: 10_000,
};
/** Vendors that are held up on purpose are waited for longer. */
const PATIENCE = Number(process.env.TORTURE_PATIENCE ?? 0.15);
const POLL_PACE = 0.1;

process.on('disconnect', () => process.exit(1));

/** Written as `hold-settled:3`: at that step, the third time. */
const [step, passes] = process.env.TORTURE_CRASH?.split(':') ?? [];
const crash = CRASH_POINTS.find((name) => name === step);
if (crash) armCrashPoint(crash, Number(passes ?? 1));

const gateway = await startGateway(readConfig(), {
  patience: PATIENCE,
  pollPace: POLL_PACE,
  circuits: CIRCUITS,
  runnerTimes: RUNNER_TIMES,
});

let stopping = false;
process.on('SIGTERM', () => {
  if (stopping) return;
  stopping = true;
  gateway.stop().then(
    () => process.exit(0),
    (error: unknown) => {
      process.stderr.write(`stopping failed: ${error instanceof Error ? error.stack : String(error)}\n`);
      process.exit(1);
    },
  );
});
process.send?.({ ready: gateway.url });
