import { z } from 'zod';

/** Stability REST v2beta reference: only what we read of it. */
export const STABILITY_BASE_URL = 'https://api.stability.ai';

/** Response headers that come with a picture. */
export const FINISH_REASON_HEADER = 'finish-reason';
export const SEED_HEADER = 'seed';

/** Every error: `{ id, name, errors: [text] }`; `name` is the part meant for programs. */
export const stabilityError = z.object({ name: z.string() });

/** Stated in the text of the 429 answer: who exceeds the limit is shut out for a minute. No header says so. */
export const LOCKOUT_SECONDS = 60;

/** Models that draw for longer than a connection should stay open: they answer with the id of a job. */
export const DRAWN_LATER: ReadonlySet<string> = new Set(['replace-background-and-relight', 'creative']);

/** A job that was taken. Its id goes into the path of the next call, so nothing but an id may pass. */
export const jobTaken = z.object({ id: z.string().regex(/^[\w-]{1,128}$/) });

/** The reference asks not to look at a job more often than this. */
export const STABILITY_POLL_AFTER_MS = 10_000;

/** A picture inside JSON. The reference names it `image`; clients have been written that read `result`. */
export const pictureInside = z.object({
  image: z.string().nullish(),
  result: z.string().nullish(),
  finish_reason: z.string().nullish(),
  seed: z.int().nullish().catch(null),
});
