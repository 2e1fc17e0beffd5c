import { outcomeOfPicture, type Refuse, refusalBy, spoiled } from './damage.ts';
import { bytesHeld } from './edit.ts';
import type { Answer } from './exchange.ts';
import type { FaultName, Stage, Vendor } from './faults.menu.ts';
import type { FaultRates } from './faults.rates.ts';
import { directivesIn, type Fault, type FaultQueue } from './faults.ts';
import type { Bought, Line, Outcome } from './journal.ts';
import type { Order } from './order.ts';

/** Where a job stands. A job whose client asked to stop it before it was done is `cancelled`. */
export type Phase = 'queued' | 'drawing' | 'done' | 'cancelled';

/** How a job ends. */
export type Fate = 'drawn' | 'failed' | 'moderated';

const FATE_OF: Partial<Record<FaultName, Fate>> = { moderated: 'moderated', 'poll-failed': 'failed' };

/** What those who look at a job are shown for ever instead of how it stands. */
export type Mask = 'gone' | 'forever' | 'unheard-of';

const MASK_OF: Partial<Record<FaultName, Mask>> = {
  'poll-gone': 'gone',
  'poll-forever': 'forever',
  'poll-unknown-status': 'unheard-of',
};

function firstOf<T>(faults: readonly Fault[], of: Partial<Record<FaultName, T>>): T | null {
  return faults.map(({ name }) => of[name]).find((each) => each !== undefined) ?? null;
}

/** A picture that a vendor accepted and draws later. */
export interface Job {
  readonly id: string;
  readonly vendor: Vendor;
  /** The key it was submitted with; another key does not see it. */
  readonly owner: string;
  readonly order: Order;
  readonly line: Line;
  /** The faults it was submitted with. */
  readonly faults: readonly Fault[];
  readonly fate: Fate;
  /** A masked job never ends, unless it ends by itself; then it does so behind the mask. */
  readonly mask: Mask | null;
  /** Called once when the job has ended; null for a job that only looks move on. */
  readonly ended: (() => void) | null;
  readonly openedAtMs: number;
  phase: Phase;
  looks: number;
  /** Faults that its prompt asks for at later requests, with how often each has struck. */
  readonly later: readonly { readonly fault: Fault; struck: number }[];
}

/** Part of a job's time that it waits before it is drawn. */
const QUEUED_SHARE = 0.15;

const isOver = ({ phase }: Job) => phase === 'done' || phase === 'cancelled';

const HOUR_MS = 3_600_000;
/** How long a vendor can be asked about a job; one that says nothing of it, for as long as there is room. */
const KEPT_MS: Partial<Record<Vendor, number>> = { stability: 24 * HOUR_MS, wavespeed: 7 * 24 * HOUR_MS };

/** Jobs kept, and bytes of the pictures that were sent with them: beyond either, the oldest are forgotten. */
const JOBS_MAX = 20_000;
const BYTES_MAX = 512 * 1024 * 1024;

function endOf({ fate, faults }: Job): { outcome: Outcome; bought: Bought } {
  if (fate !== 'drawn') return { outcome: fate, bought: 'refunded' };
  return { outcome: outcomeOfPicture(faults) ?? 'completed', bought: 'yes' };
}

/** How far a job is, as far as those may know who look at it. */
export function shownPhase({ phase, mask }: Job): Phase {
  return mask !== null && phase === 'done' ? 'drawing' : phase;
}

type NewJob = Pick<Job, 'id' | 'vendor' | 'owner' | 'order' | 'line' | 'faults'> & Partial<Pick<Job, 'ended'>>;

interface JobsOptions {
  readonly latency: number;
  /** With latency 0 nobody can tell the time, so a job is being drawn for this many looks and done at the next. */
  readonly pendingLooks: number;
  /** Tells the time, in milliseconds since 1970. */
  readonly now: () => number;
}

/** The jobs of the asynchronous vendors. */
export class Jobs {
  readonly #jobs = new Map<string, Job>();
  readonly #options: JobsOptions;
  #bytes = 0;

  constructor(options: JobsOptions) {
    this.#options = options;
  }

  /** `fate` is how the job ends unless a fault has it otherwise. */
  open(job: NewJob, fate: Fate = 'drawn'): Job {
    const later = directivesIn(job.order.prompt, job.vendor).filter(({ on }) => on !== 'submit');
    const opened: Job = {
      ended: null,
      ...job,
      fate: firstOf(job.faults, FATE_OF) ?? fate,
      mask: firstOf(job.faults, MASK_OF),
      openedAtMs: this.#options.now(),
      phase: 'queued',
      looks: 0,
      later: later.map((fault) => ({ fault, struck: 0 })),
    };
    job.line.amend({ vendorId: job.id });
    this.#jobs.set(job.id, opened);
    this.#bytes += bytesHeld(job.order.edit);
    for (const oldest of this.#jobs.values()) {
      if (this.#jobs.size <= JOBS_MAX && this.#bytes <= BYTES_MAX) break;
      this.forget(oldest);
    }
    return opened;
  }

  /** A job of this vendor, whoever owns it: for outputs, whose address is all the permission that is needed. */
  find(vendor: Vendor, id: string): Job | undefined {
    const job = this.#jobs.get(id);
    if (job && this.#isExpired(job)) this.forget(job);
    else if (job?.vendor === vendor) return job;
    return undefined;
  }

  /** The jobs of one owner, the youngest first. */
  listOf(vendor: Vendor, owner: string): readonly Job[] {
    return [...this.#jobs.values()]
      .filter((job) => job.vendor === vendor && job.owner === owner && !this.#isExpired(job))
      .reverse();
  }

  forget(job: Job): void {
    if (this.#jobs.delete(job.id)) this.#bytes -= bytesHeld(job.order.edit);
  }

  /** Looks at a job, which moves it on. */
  look(job: Job): Phase {
    job.looks += 1;
    if (!isOver(job)) {
      const share = this.#shareDone(job);
      if (share >= 1) this.finish(job);
      else if (share >= QUEUED_SHARE) job.phase = 'drawing';
    }
    return shownPhase(job);
  }

  /** Ends a job now, as its faults have it; one that never ends is being drawn for ever. */
  finish(job: Job): Phase {
    if (!isOver(job)) {
      job.phase = job.mask !== null && job.ended === null ? 'drawing' : 'done';
      if (job.phase === 'done') {
        job.line.amend(endOf(job));
        job.ended?.();
      }
    }
    return shownPhase(job);
  }

  /** Whether the job could still be stopped. */
  cancel(job: Job): boolean {
    if (isOver(job)) return false;
    job.phase = 'cancelled';
    job.line.amend({ outcome: 'cancelled' });
    job.ended?.();
    return true;
  }

  #shareDone(job: Job): number {
    const { latency, pendingLooks } = this.#options;
    if (latency === 0) return job.looks > pendingLooks ? 1 : QUEUED_SHARE;
    return (this.#options.now() - job.openedAtMs) / (job.order.seconds * 1000 * latency);
  }

  #isExpired({ vendor, openedAtMs }: Job): boolean {
    return this.#options.now() - openedAtMs >= (KEPT_MS[vendor] ?? Number.POSITIVE_INFINITY);
  }
}

function laterFault(job: Job, stage: Stage): Fault | null {
  const due = job.later.find(({ fault, struck }) => fault.on === stage && struck < (fault.times ?? Number.MAX_VALUE));
  if (!due) return null;
  due.struck += 1;
  return due.fault;
}

/** Where faults for requests come from that no prompt asks for: those that wait for the next one, then chance. */
export interface FaultSources {
  readonly faults: FaultQueue;
  readonly rates: FaultRates;
}

/** Answers a request about a job, or lets the fault strike that is meant for it. */
export async function strike(
  { faults, rates }: FaultSources,
  job: Job,
  stage: Stage,
  refuse: Refuse,
  answer: () => Promise<Answer> | Answer,
): Promise<Answer> {
  const fault = faults.take(job.vendor, stage) ?? laterFault(job, stage) ?? rates.roll(job.vendor, stage);
  if (!fault) return answer();
  return refusalBy(fault, refuse) ?? spoiled(await answer(), fault);
}
