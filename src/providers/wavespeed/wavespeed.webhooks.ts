import { createHmac, timingSafeEqual } from 'node:crypto';
import { OutboundError } from '../../platform/outbound-error.ts';
import { CHECK_CALL_TIMEOUT_MS, STATUS_ANSWER_BYTES_MAX } from '../call-limits.ts';
import type { CheckOutcome, Delivery, Verified, Webhooks } from '../provider.ts';
import { readJson, type VendorApi } from '../vendor-api.ts';
import { type Prediction, reportedPrediction, webhookSecret } from './wavespeed.wire.ts';

/** A delivery that is older, or further ahead of our clock, is taken for one that somebody repeats. */
const AGE_MAX_SECONDS = 300;
/** A signature that does not fit may mean that the secret was changed; it is asked for anew at most this often. */
const SECRET_AGE_MIN_MS = 60_000;
/** Nor may deliveries, whoever sends them, make us ask more often than this for a secret that cannot be had. */
const SECRET_RETRY_MS = 5_000;

/**
 * Reports of finished jobs, signed with a secret of the vendor's that belongs to our API key: HMAC-SHA256 in hex over
 * id, time and raw body, joined by dots. The key is the secret without its prefix, as text (WaveSpeed reference,
 * verifying webhooks); the similar Standard Webhooks decode theirs from base64.
 */
export class WaveSpeedWebhooks implements Webhooks {
  #known: string | null = null;
  #asked: { readonly atMs: number; readonly secret: Promise<string | null> } | null = null;

  constructor(
    private readonly api: VendorApi,
    private readonly outcomeOf: (prediction: Prediction, signal: AbortSignal) => Promise<CheckOutcome>,
  ) {}

  async verify({ headers, body }: Delivery, now: Date): Promise<Verified> {
    const { 'webhook-id': id, 'webhook-timestamp': sentAt, 'webhook-signature': signature } = headers;
    if (typeof id !== 'string' || typeof sentAt !== 'string' || typeof signature !== 'string') return FORGED;
    const age = now.getTime() / 1_000 - Number(sentAt);
    if (!/^\d{1,12}$/.test(sentAt) || Math.abs(age) > AGE_MAX_SECONDS) return FORGED;
    const signed = /^v3,([0-9a-f]{64})$/i.exec(signature)?.[1];
    if (signed === undefined) return FORGED;
    const matches = (secret: string) => {
      const hmac = createHmac('sha256', secret.slice('whsec_'.length)).update(`${id}.${sentAt}.`).update(body);
      return timingSafeEqual(hmac.digest(), Buffer.from(signed, 'hex'));
    };
    const known = this.#known ?? (await this.#secretAnew(now));
    if (known === null) return CANNOT_TELL;
    if (!matches(known)) {
      const fresh = await this.#secretAnew(now);
      if (fresh === null) return CANNOT_TELL;
      if (!matches(fresh)) return FORGED;
    }
    const prediction = readJson(reportedPrediction, body);
    return prediction ? { kind: 'GENUINE', vendorId: prediction.id, report: prediction } : FORGED;
  }

  async read(report: unknown, signal: AbortSignal): Promise<CheckOutcome> {
    return this.outcomeOf(reportedPrediction.parse(report), signal);
  }

  /**
   * The secret as it is now, unless it was asked for a moment ago; null where it could not be had. The one that is known
   * is kept even then: what somebody forged must not make us forget it.
   */
  async #secretAnew(now: Date): Promise<string | null> {
    const earlier = (await this.#asked?.secret) ?? null;
    const everyMs = earlier === null ? SECRET_RETRY_MS : SECRET_AGE_MIN_MS;
    if (this.#asked === null || now.getTime() - this.#asked.atMs >= everyMs) {
      this.#asked = { atMs: now.getTime(), secret: this.#askSecret() };
    }
    const secret = await this.#asked.secret;
    this.#known = secret ?? this.#known;
    return secret;
  }

  async #askSecret(): Promise<string | null> {
    const answer = await this.api.call({
      method: 'GET',
      path: '/api/v3/webhook/secret',
      headers: { accept: 'application/json' },
      timeoutMs: CHECK_CALL_TIMEOUT_MS,
      bytesMax: STATUS_ANSWER_BYTES_MAX,
    });
    if (answer instanceof OutboundError || answer.status !== 200) return null;
    return readJson(webhookSecret, answer.body)?.data.secret ?? null;
  }
}

const FORGED: Verified = { kind: 'FORGED' };
const CANNOT_TELL: Verified = { kind: 'CANNOT_TELL' };
