import { setTimeout as wait } from 'node:timers/promises';
import type { Fate, Fates } from './fates.ts';
import { GatewayProcess, type ProcessEnd } from './processes.ts';
import type { Role, Slot, Stage } from './stage.ts';
import type { Tally } from './tally.ts';

/** A step that is not reached in this time is tried again another time. */
const CRASH_PATIENCE_MS = 30_000;
const START_AGAIN_MS = 300;
const LOOK_AGAIN_MS = 100;
/** A process that is told to stop has jobs to end first. */
const STOP_DEADLINE_MS = 25_000;

export interface FleetParts {
  readonly stage: Stage;
  /** Null for a life that ends when it is told to. */
  readonly fates: { next(role: Role): Fate | null } & Pick<Fates, 'note'>;
  readonly kills: Tally;
  /** Told what happens to whom, for whoever looks for the cause of something. */
  readonly log: (text: string) => void;
  /** Told of what no process may do. */
  readonly violation: (text: string) => void;
  /** What is done while nobody runs in a place, between two processes. */
  readonly between: () => Promise<void>;
}

/** Keeps a process in every slot, and lets each meet its fate. */
export class Fleet {
  readonly #parts: FleetParts;
  readonly #calm = new AbortController();
  readonly #stop = new AbortController();
  readonly #slots: Promise<void>[] = [];
  readonly #alive = new Map<string, GatewayProcess>();
  /** Resolves for each slot when a process is up that nothing will happen to. */
  readonly #settled: Promise<void>[] = [];

  constructor(parts: FleetParts) {
    this.#parts = parts;
  }

  /** Starts the first process alone, because it sets up what the others find. */
  async start(): Promise<void> {
    for (const slot of this.#parts.stage.slots) {
      const up = Promise.withResolvers<void>();
      const settled = Promise.withResolvers<void>();
      this.#settled.push(settled.promise);
      this.#slots.push(this.#keep(slot, up.resolve, settled.resolve));
      if (this.#slots.length === 1) await up.promise;
    }
  }

  /** Resolves when there is a process in every slot. */
  async everybodyIsUp(): Promise<void> {
    while (this.#alive.size < this.#parts.stage.slots.length) await wait(LOOK_AGAIN_MS);
  }

  /** Kills who is in a slot just now. False when it is empty. */
  kill(name: string): boolean {
    const child = this.#alive.get(name);
    child?.send('SIGKILL');
    return this.#alive.delete(name);
  }

  /** No more kills: resolves when every slot has a process that stays. */
  async calm(): Promise<void> {
    this.#calm.abort();
    await Promise.all(this.#settled);
  }

  /** Tells every process to stop, which it must do by itself and in good order. */
  async stop(): Promise<void> {
    this.#stop.abort();
    await Promise.all(this.#slots);
  }

  /** Ends every process at once, whatever it is doing. */
  async abandon(): Promise<void> {
    this.#stop.abort();
    for (const name of [...this.#alive.keys()]) this.kill(name);
    await Promise.all(this.#slots);
  }

  async #keep(slot: Slot, up: () => void, settled: () => void): Promise<void> {
    const { stage, fates, kills, between, log } = this.#parts;
    while (!this.#stop.signal.aborted) {
      const fate = this.#calm.signal.aborted ? null : fates.next(slot.role);
      const crash = fate?.kind === 'crash' ? fate.crash : null;
      const child = new GatewayProcess(stage.environmentOf(slot), crash, stage.logOf(slot));
      log(`${slot.name} is started for ${fate ? JSON.stringify(fate) : 'good'}`);
      if (await child.ready) {
        log(`${slot.name} is up`);
        up();
        this.#alive.set(slot.name, child);
        if (fate) await this.#meet(child, fate);
        else await Promise.race([child.ended, untilAborted(AbortSignal.any([this.#calm.signal, this.#stop.signal]))]);
        if (!fate && this.#alive.get(slot.name) === child) {
          settled();
          await this.#stay(child, slot);
        }
      }
      const end = await child.ended;
      this.#alive.delete(slot.name);
      log(`${slot.name} has ended: ${JSON.stringify(end)}`);
      if (crash) fates.note(crash, end.byItself);
      kills.add(nameOf(end, fate));
      // What could not start, because a server was away, is not started again in the same instant.
      if (end.code === 1) await wait(START_AGAIN_MS);
      await between();
    }
  }

  /** Lets a process live until its fate has come true, or there are no more kills. */
  async #meet(child: GatewayProcess, fate: Fate): Promise<void> {
    if (fate.kind === 'crash') {
      await this.#pause(child, CRASH_PATIENCE_MS);
      child.send('SIGKILL');
      return;
    }
    await this.#pause(child, fate.afterMs);
    if (fate.kind === 'freeze') {
      child.send('SIGSTOP');
      await wait(fate.frozenMs);
      child.send('SIGCONT');
      await this.#pause(child, fate.killedAfterMs);
    }
    child.send(fate.kind === 'terminate' ? 'SIGTERM' : 'SIGKILL');
    if (fate.kind === 'terminate') await this.#stopped(child);
  }

  /** Waits so long, or until the process has ended or there are no more kills. */
  async #pause(child: GatewayProcess, ms: number): Promise<void> {
    const over = new AbortController();
    const pause = wait(ms, undefined, { signal: AbortSignal.any([this.#calm.signal, over.signal]) });
    await Promise.race([child.ended, pause.catch(() => undefined)]);
    over.abort();
  }

  async #stay(child: GatewayProcess, { name }: Slot): Promise<void> {
    const early = await Promise.race([untilAborted(this.#stop.signal), child.ended]);
    if (early) {
      this.#parts.violation(`${name} ended by itself while nothing was done to it: ${JSON.stringify(early)}`);
      return;
    }
    child.send('SIGTERM');
    const end = await this.#stopped(child);
    if (end.code !== 0) this.#parts.violation(`${name} did not stop in good order: ${JSON.stringify(end)}`);
  }

  /** Ends what does not stop by itself. */
  async #stopped(child: GatewayProcess): Promise<ProcessEnd> {
    const late = setTimeout(() => child.send('SIGKILL'), STOP_DEADLINE_MS);
    const end = await child.ended;
    clearTimeout(late);
    return end;
  }
}

function untilAborted(signal: AbortSignal): Promise<null> {
  if (signal.aborted) return Promise.resolve(null);
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(null), { once: true }));
}

function nameOf({ code, byItself }: ProcessEnd, fate: Fate | null): string {
  if (byItself) return 'died at a step';
  if (code === 1) return 'could not start or stop';
  if (fate === null) return code === 0 ? 'stopped at the end' : 'SIGKILL';
  if (fate.kind === 'crash') return 'killed, as the step was not reached';
  return { kill: 'SIGKILL', terminate: 'SIGTERM', freeze: 'SIGSTOP, SIGCONT, SIGKILL' }[fate.kind];
}
