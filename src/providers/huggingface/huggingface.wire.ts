import { z } from 'zod';

/** HuggingFace Inference Providers reference, and fal's queue behind it: only what we read of them. */
export const HUGGINGFACE_BASE_URL = 'https://router.huggingface.co';

/** fal's pictures are a matter of seconds, and its own clients ask twice a second. */
export const FAL_POLL_AFTER_MS = 500;

/** A cold start: the model is not in memory, and how long loading it will take. */
export const modelLoading = z.object({ error: z.string().regex(/\bloading\b/i), estimated_time: z.number() });

/**
 * Where fal keeps a job, such as `/fal-ai/flux/requests/<id>`. It names the app without the variant that was ordered,
 * so it cannot be derived from the model and has to be remembered. It becomes part of our next paths, hence the strict
 * form: no segment that begins with a dot, no query.
 */
export const FAL_JOB_PATH = /^(?:\/[\w-][\w.-]*){2,6}$/;

export const falSubmit = z.object({ response_url: z.url() });

/** `IN_QUEUE`, `IN_PROGRESS` or `COMPLETED`; any text is taken, so that a new word only means waiting. */
export const falStatus = z.object({ status: z.string() });

export const falResult = z.object({
  images: z.array(z.object({ url: z.string() })).nullish(),
  has_nsfw_concepts: z.array(z.unknown()).nullish(),
  /** fal draws seeds of 64 bits; those that a JSON number cannot hold exactly are of no use. */
  seed: z.int().nullish().catch(null),
});

/** fal's refusals: `detail` is a list of complaints, or plain text. */
export const falError = z.object({ detail: z.array(z.object({ type: z.string() })) });
export const FAL_MODERATION_TYPE = 'content_policy_violation';
