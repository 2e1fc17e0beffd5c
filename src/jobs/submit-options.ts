import { badInput } from '../errors.ts';

export const WAIT_SECONDS_MAX = 30;

export interface SubmitOptions {
  readonly quote?: string | undefined;
  /** The id of the budget that it is to count in. */
  readonly budget?: string | undefined;
  readonly idempotencyKey?: string | undefined;
  /** How long to wait for the job to end, 0 to {@link WAIT_SECONDS_MAX}. */
  readonly waitSeconds?: number | undefined;
  /** What the request is known by in the log; see `requestIdOf`. */
  readonly requestId: string;
}

const KEY_FORM = /^[\x20-\x7e]{1,255}$/;

/** The idempotency key, null for none. @throws BAD_USER_INPUT */
export function checkedKey({ idempotencyKey: key }: SubmitOptions): string | null {
  if (key === undefined) return null;
  if (!KEY_FORM.test(key) || key.trim() === '')
    throw badInput('idempotencyKey', key, '1 to 255 printable ASCII characters');
  return key;
}

/** @throws BAD_USER_INPUT */
export function checkedWait({ waitSeconds: seconds }: SubmitOptions): number {
  if (seconds === undefined) return 0;
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > WAIT_SECONDS_MAX) {
    throw badInput('waitSeconds', seconds, `a whole number from 0 to ${WAIT_SECONDS_MAX}`);
  }
  return seconds;
}
