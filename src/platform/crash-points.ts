/**
 * The steps between which a process can die with something half done, in the order of a job's life. The torture program
 * kills a process at each of them; anywhere else they do nothing.
 */
export const CRASH_POINTS = [
  'key-claimed',
  'job-written',
  'job-enqueued',
  'credits-held',
  'submission-committed',
  'job-claimed',
  'attempt-written',
  'order-answered',
  'order-accepted',
  'picture-received',
  'picture-stored',
  'delivery-written',
  'delivery-committed',
  'attempt-ended',
  'image-failed',
  'images-cancelled',
  'hold-settled',
  'settlement-written',
  'settlement-committed',
  'period-entered',
] as const;
export type CrashPoint = (typeof CRASH_POINTS)[number];

/** Where this process is to die, and how often it passes there before. */
let armed: { readonly at: CrashPoint; passes: number } | null = null;

/** Lets this process be killed, as by `kill -9`, when it comes to `at` for the `passes`-th time. For tests of crashes only. */
export function armCrashPoint(at: CrashPoint, passes: number): void {
  armed = { at, passes };
}

/** Passes a step. */
export function crashPoint(at: CrashPoint): void {
  if (armed?.at !== at) return;
  armed.passes -= 1;
  if (armed.passes === 0) process.kill(process.pid, 'SIGKILL');
}
