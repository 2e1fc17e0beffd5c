import { type Refuse, refusalBy, spoiled } from './damage.ts';
import type { Answer } from './exchange.ts';
import { directivesIn, type Fault, type FaultName, type FaultQueue, type Stage, type Vendor } from './faults.ts';
import type { Bought, Line, Outcome } from './journal.ts';
import type { Order } from './order.ts';

/** Where a job stands. A job whose client asked to stop it before it was done is `cancelled`. */
export type Phase = 'queued' | 'drawing' | 'done' | 'cancelled';

/** How a job ends, or that it never does. */
export type Fate = 'drawn' | 'failed' | 'moderated' | 'gone' | 'forever' | 'unheard-of';

const FATE_OF: Partial<Record<FaultName, Fate>> = {
  moderated: 'moderated',
  'poll-failed': 'failed',
  'poll-gone': 'gone',
  'poll-forever': 'forever',
  'poll-unknown-status': 'unheard-of',
};

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
  readonly openedAtMs: number;
  phase: Phase;
  looks: number;
  /** Faults that its prompt asks for at later requests, with how often each has struck. */
  readonly later: readonly { readonly fault: Fault; struck: number }[];
}

const ENDLESS: ReadonlySet<Fate> = new Set<Fate>(['gone', 'forever', 'unheard-of']);

/** Part of a job's time that it waits before it is drawn. */
const QUEUED_SHARE = 0.15;

/** Jobs kept; a vendor forgets them after days, the sandbox when there are too many. */
const JOBS_MAX = 20_000;

function endOf({ fate, faults }: Job): { outcome: Outcome; bought: Bought } {
  if (fate === 'failed' || fate === 'moderated') return { outcome: fate, bought: 'refunded' };
  const flaw = faults.find(({ effect }) => effect === 'picture');
  if (!flaw) return { outcome: 'completed', bought: 'yes' };
  return { outcome: flaw.name === 'withheld' ? 'withheld' : 'damaged', bought: 'yes' };
}

interface JobsOptions {
  readonly latency: number;
  /** With latency 0 nobody can tell the time, so a job is being drawn for this many looks and done at the next. */
  readonly pendingLooks: number;
}

/** The jobs of the asynchronous vendors. */
export class Jobs {
  readonly #jobs = new Map<string, Job>();
  readonly #options: JobsOptions;

  constructor(options: JobsOptions) {
    this.#options = options;
  }

  /** `fate` is how the job ends unless a fault has it otherwise. */
  open(job: Pick<Job, 'id' | 'vendor' | 'owner' | 'order' | 'line' | 'faults'>, fate: Fate = 'drawn'): Job {
    const later = directivesIn(job.order.prompt, job.vendor).filter(({ on }) => on !== 'submit');
    const opened: Job = {
      ...job,
      fate: job.faults.map(({ name }) => FATE_OF[name]).find((each) => each !== undefined) ?? fate,
      openedAtMs: Date.now(),
      phase: 'queued',
      looks: 0,
      later: later.map((fault) => ({ fault, struck: 0 })),
    };
    job.line.amend({ vendorId: job.id });
    this.#jobs.set(job.id, opened);
    const oldest = this.#jobs.keys().next();
    if (this.#jobs.size > JOBS_MAX && !oldest.done) this.#jobs.delete(oldest.value);
    return opened;
  }

  /** A job of this vendor, whoever owns it: for outputs, whose address is all the permission that is needed. */
  find(vendor: Vendor, id: string): Job | undefined {
    const job = this.#jobs.get(id);
    return job?.vendor === vendor ? job : undefined;
  }

  forget(job: Job): void {
    this.#jobs.delete(job.id);
  }

  /** Looks at a job, which moves it on. */
  look(job: Job): Phase {
    job.looks += 1;
    const share = this.#shareDone(job);
    if (job.phase === 'cancelled' || job.phase === 'done') return job.phase;
    if (share < QUEUED_SHARE) return job.phase;
    if (share >= 1) return this.finish(job);
    job.phase = 'drawing';
    return job.phase;
  }

  /** Ends a job now, as its faults have it; one that never ends is being drawn for ever. */
  finish(job: Job): Phase {
    if (job.phase === 'cancelled' || job.phase === 'done') return job.phase;
    job.phase = ENDLESS.has(job.fate) ? 'drawing' : 'done';
    if (job.phase === 'done') job.line.amend(endOf(job));
    return job.phase;
  }

  cancel(job: Job): boolean {
    if (job.phase === 'done' || job.phase === 'cancelled') return false;
    job.phase = 'cancelled';
    job.line.amend({ outcome: 'cancelled' });
    return true;
  }

  #shareDone(job: Job): number {
    const { latency, pendingLooks } = this.#options;
    if (latency === 0) return job.looks > pendingLooks ? 1 : QUEUED_SHARE;
    return (Date.now() - job.openedAtMs) / (job.order.seconds * 1000 * latency);
  }
}

function laterFault(job: Job, stage: Stage): Fault | null {
  const due = job.later.find(({ fault, struck }) => fault.on === stage && struck < (fault.times ?? Number.MAX_VALUE));
  if (!due) return null;
  due.struck += 1;
  return due.fault;
}

/** Answers a request about a job, or lets the fault strike that is meant for it. */
export async function strike(
  queue: FaultQueue,
  job: Job,
  stage: Stage,
  refuse: Refuse,
  answer: () => Promise<Answer> | Answer,
): Promise<Answer> {
  const fault = queue.take(job.vendor, stage) ?? laterFault(job, stage);
  if (!fault) return answer();
  return refusalBy(fault, refuse) ?? spoiled(await answer(), fault);
}
