import { isFlagged } from './damage.ts';
import type { JsonObject } from './exchange.ts';
import type { Fate, Job, Phase } from './jobs.ts';
import type { Order } from './order.ts';
import { type Desk, drawOrder } from './orders.ts';
import { outputUrl } from './outputs.ts';

/** An order with what only this vendor can be asked for. */
export interface WavespeedOrder extends Order {
  readonly asBase64: boolean;
  readonly waits: boolean;
  /** Where the end of the job is to be announced. */
  readonly webhook: URL | null;
  /** What is wrong with the pictures, which only shows when the task begins to work on them. */
  readonly trouble: Trouble | null;
}

/** Why a task failed, with the vendor's number for it. */
export interface Trouble {
  readonly code: number;
  readonly error: string;
}

/** Whether an order was taken by this vendor. */
export function isWavespeedOrder(order: Order): order is WavespeedOrder {
  return 'asBase64' in order;
}

const STATUS_OF: Record<Phase, string> = {
  queued: 'created',
  drawing: 'processing',
  done: 'completed',
  cancelled: 'cancelled',
};

/** The ends that are not a picture: still HTTP 200, with the reason inside. */
const FAILURES: Partial<Record<Fate, Trouble>> = {
  failed: { code: 1405, error: 'The task failed while it was being processed.' },
  moderated: { code: 1200, error: 'The content was flagged as potentially sensitive. Please try another prompt.' },
};

async function outputsOf(desk: Desk, job: Job, order: WavespeedOrder): Promise<readonly string[]> {
  if (!order.asBase64) return [outputUrl(desk, job)];
  return [(await drawOrder(order, job.faults, null)).toString('base64')];
}

/** A job as this vendor shows it, in the phase that it is to be shown in. */
export async function predictionOf(desk: Desk, job: Job, order: WavespeedOrder, phase: Phase): Promise<JsonObject> {
  const failed = phase === 'done' ? (order.trouble ?? FAILURES[job.fate]) : undefined;
  const drawn = phase === 'done' && !failed;
  const milliseconds = phase === 'done' ? Math.round(order.seconds * 1000 * desk.latency) : 0;
  return {
    id: job.id,
    model: order.model,
    outputs: drawn ? await outputsOf(desk, job, order) : [],
    urls: { get: `${desk.origin()}/api/v3/predictions/${job.id}/result` },
    has_nsfw_contents: drawn ? [isFlagged(job.faults)] : [],
    status: failed ? 'failed' : STATUS_OF[phase],
    created_at: new Date(job.openedAtMs).toISOString(),
    error: '',
    executionTime: milliseconds,
    timings: { inference: milliseconds },
    ...failed,
  };
}
