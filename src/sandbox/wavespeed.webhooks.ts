import { createHmac, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { JsonObject } from './exchange.ts';
import type { FaultName } from './faults.menu.ts';
import type { Fault } from './faults.ts';

const SECRET_PREFIX = 'whsec_';

/** After the first attempt; each waits twice as long as the one before. */
const RETRIES_MAX = 3;
const FIRST_RETRY_SECONDS = 1;
/** Part of the usual wait before a retry where nothing else takes time. */
const HASTE = 0.02;
/** How long a receiver may take to answer. */
const PATIENCE_MS = 10_000;
/** The receiver must turn away what was signed more than five minutes ago. */
const STALE_SECONDS = 600;
/** Published examples carry this much of the prediction's id: enough to know a message again, not the id itself. */
const MESSAGE_ID_LENGTH = 25;

/** The end of a job, and who wants to know. */
export interface Announcement {
  readonly to: URL;
  readonly owner: string;
  readonly prediction: JsonObject;
  readonly jobId: string;
  readonly faults: readonly Fault[];
}

interface WebhooksOptions {
  /** 0 retries within a tenth of a second, 1 takes as long as the vendor. */
  readonly latency: number;
  /** Ends everything that is under way. */
  readonly closing: AbortSignal;
}

/** What every completed job is turned into by somebody on the way: the bytes behind it are not the vendor's. */
function tamperedWith(prediction: JsonObject): JsonObject {
  return { ...prediction, status: 'completed', outputs: ['http://169.254.169.254/tampered.png'], error: '' };
}

/** Tells whoever asked for it that a job has ended, at the address that they gave and at no other. */
export class Webhooks {
  readonly #root = randomBytes(32);
  readonly #options: WebhooksOptions;

  constructor(options: WebhooksOptions) {
    this.#options = options;
  }

  /** The secret of an API key, the same for as long as the sandbox lives. */
  secretOf(owner: string): string {
    return SECRET_PREFIX + createHmac('sha256', this.#root).update(owner).digest('base64url');
  }

  /** Sends a message until it is taken, the retries are used up, or the sandbox closes. Never rejects. */
  async announce(announcement: Announcement): Promise<void> {
    const { faults } = announcement;
    const asked = (name: FaultName) => faults.find((fault) => fault.name === name);
    if (asked('webhook-none')) return;
    try {
      const late = asked('webhook-late')?.value ?? 0;
      if (late > 0) await this.#wait(late);
      for (let time = 0; time < (asked('webhook-twice') ? 2 : 1); time += 1) await this.#deliver(announcement);
    } catch (error) {
      if (!this.#options.closing.aborted) throw error;
    }
  }

  async #deliver(announcement: Announcement): Promise<void> {
    const { latency } = this.#options;
    let wait = FIRST_RETRY_SECONDS * 1000 * Math.max(latency, HASTE);
    for (let attempt = 0; ; attempt += 1) {
      if ((await this.#attempt(announcement)) || attempt === RETRIES_MAX) return;
      await this.#wait(wait);
      wait *= 2;
    }
  }

  /** Whether the receiver took the message. */
  async #attempt(announcement: Announcement): Promise<boolean> {
    const { closing } = this.#options;
    try {
      const response = await fetch(announcement.to, {
        method: 'POST',
        ...this.#message(announcement),
        // A message goes where it was ordered to, and nowhere that the receiver points to.
        redirect: 'manual',
        signal: AbortSignal.any([closing, AbortSignal.timeout(PATIENCE_MS)]),
      });
      await response.body?.cancel();
      return response.ok;
    } catch {
      // Whatever kept the message from arriving, it did not arrive; the next wait notices when the sandbox closes.
      return false;
    }
  }

  #message({ owner, prediction, jobId, faults }: Announcement): { headers: Record<string, string>; body: string } {
    const has = (name: FaultName) => faults.some((fault) => fault.name === name);
    const id = jobId.slice(0, MESSAGE_ID_LENGTH);
    const timestamp = Math.floor(Date.now() / 1000) - (has('webhook-stale') ? STALE_SECONDS : 0);
    const body = JSON.stringify(prediction);
    const secret = this.secretOf(has('webhook-forged') ? `${owner} forged` : owner);
    // The key is the text behind the prefix as it stands, not what it would be in base64.
    const key = secret.slice(SECRET_PREFIX.length);
    const signature = createHmac('sha256', key).update(`${id}.${timestamp}.${body}`).digest('hex');
    return {
      headers: {
        'content-type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': String(timestamp),
        'webhook-signature': `v3,${signature}`,
      },
      body: has('webhook-tampered') ? JSON.stringify(tamperedWith(prediction)) : body,
    };
  }

  async #wait(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#options.closing });
  }
}
