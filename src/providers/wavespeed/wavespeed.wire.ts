import { z } from 'zod';

/** WaveSpeed REST v3 reference: only what we read of it. */
export const WAVESPEED_BASE_URL = 'https://api.wavespeed.ai';

/** Task code of a failure by content moderation. */
export const MODERATION_CODE = 1200;

/** As the vendor's own client does; the reference advises two seconds, which would add as much to every picture. */
export const WAVESPEED_POLL_AFTER_MS = 1_000;

/** Ids go into the path of the next call, so nothing but an id may pass. */
export const predictionId = z.string().regex(/^[\w-]{1,128}$/);

/** The envelope around a new job. It has a code of its own beside HTTP's, but a job that has an id has been taken. */
export const submitEnvelope = z.object({ data: z.object({ id: predictionId }) });

/** An envelope without a job, which is how an error looks. */
export const errorEnvelope = z.object({ code: z.number() });

/**
 * How a job stands. `status` is any text, so that a new word of the vendor's is not an unreadable answer; failures come
 * with HTTP 200 too, and then `code` and `error` say why. What only explains may have any shape.
 */
const prediction = z.object({
  status: z.string(),
  outputs: z.array(z.string()).nullish(),
  has_nsfw_contents: z.array(z.unknown()).nullish(),
  error: z.string().nullish().catch(null),
  code: z.number().nullish().catch(null),
});
export type Prediction = z.infer<typeof prediction>;
export const predictionEnvelope = z.object({ data: prediction });

/** Names the key that this API key's reports are signed with. */
export const webhookSecret = z.object({ data: z.object({ secret: z.string().startsWith('whsec_').min(12) }) });

/** A report is the bare prediction, without an envelope. */
export const reportedPrediction = z.object({ id: predictionId, ...prediction.shape });

/** States besides `completed` that no job leaves any more. */
export const FAILED_STATUSES: ReadonlySet<string> = new Set(['failed', 'cancelled', 'timeout', 'deleted']);
