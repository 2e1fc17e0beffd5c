import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { CrashPoint } from '../../src/platform/crash-points.ts';

const ENTRY = join(import.meta.dirname, 'gateway-process.ts');
const START_DEADLINE_MS = 180_000;

export interface Crash {
  readonly at: CrashPoint;
  /** Which passage of the step is the last. */
  readonly passes: number;
}

/** How a process ended. `byItself` is a SIGKILL that we did not send: it died at the step that it was armed with. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly byItself: boolean;
}

/** Every process that is running, so that none outlives the program. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** One gateway or worker that is running. */
export class GatewayProcess {
  readonly ended: Promise<ProcessEnd>;
  /** Resolves to whether it came up: false for one that ended before. */
  readonly ready: Promise<boolean>;
  readonly #child: ChildProcess;
  #sent: NodeJS.Signals | null = null;

  constructor(environment: Readonly<Record<string, string>>, crash: Crash | null, logFile: string) {
    const log = openSync(logFile, 'a');
    const env = {
      PATH: process.env.PATH,
      ...environment,
      ...(crash && { TORTURE_CRASH: `${crash.at}:${crash.passes}` }),
    };
    const child = fork(ENTRY, [], { env, execArgv: [], stdio: ['ignore', log, log, 'ipc'] });
    closeSync(log);
    this.#child = child;
    running.add(child);
    this.ended = new Promise((resolve) => {
      child.once('exit', (code, signal) => {
        running.delete(child);
        resolve({ code, signal, byItself: signal === 'SIGKILL' && this.#sent !== 'SIGKILL' });
      });
    });
    const up = new Promise<boolean>((resolve) => child.once('message', () => resolve(true)));
    const late = setTimeout(() => this.send('SIGKILL'), START_DEADLINE_MS);
    this.ready = Promise.race([up, this.ended.then(() => false)]).finally(() => clearTimeout(late));
  }

  send(signal: NodeJS.Signals): void {
    if (signal !== 'SIGSTOP' && signal !== 'SIGCONT') this.#sent = signal;
    this.#child.kill(signal);
  }
}
