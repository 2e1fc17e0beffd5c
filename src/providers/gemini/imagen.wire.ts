import { z } from 'zod';

/** Vertex AI reference, Imagen's `predict`: only what we read of it. */
export function vertexBaseUrl(location: string): string {
  return location === 'global' ? 'https://aiplatform.googleapis.com' : `https://${location}-aiplatform.googleapis.com`;
}

const prediction = z.object({
  bytesBase64Encoded: z.string().nullish(),
  raiFilteredReason: z.string().nullish(),
});

/** What is withheld has a reason in place of the picture; where all of it is, the answer can be an empty object. */
export const predictResponse = z.union([
  z.object({ predictions: z.array(prediction) }),
  z.strictObject({}).transform(() => ({ predictions: [] })),
]);

/** A prompt that is refused comes as a bad request; only its words tell it from any other. */
export const REFUSED_PROMPT = /usage guidelines|responsible ai|safety (?:filter|polic)|sensitive words/i;
