import { z } from 'zod';

/** Google's errors carry a list of details of various types; these are the fields of three of them. */
export const googleError = z.object({
  error: z.object({
    details: z.array(
      z.object({
        reason: z.string().nullish().catch(null),
        retryDelay: z.string().nullish().catch(null),
        violations: z
          .array(z.object({ quotaId: z.string().nullish(), quotaValue: z.string().nullish() }))
          .nullish()
          .catch(null),
      }),
    ),
  }),
});
export type GoogleErrorDetail = z.infer<typeof googleError>['error']['details'][number];
