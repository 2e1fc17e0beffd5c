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
