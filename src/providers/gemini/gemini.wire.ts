import { z } from 'zod';

/** Gemini API reference, generateContent: only what we read of it. */
export const GEMINI_BASE_URL = 'https://generativelanguage.googleapis.com';

const part = z.object({
  text: z.string().nullish(),
  /** Set on what the model drew or wrote while thinking: drafts. */
  thought: z.boolean().nullish(),
  inlineData: z.object({ data: z.string() }).nullish(),
});
export type Part = z.infer<typeof part>;

const candidate = z.object({
  content: z.object({ parts: z.array(part).nullish() }).nullish(),
  finishReason: z.string().nullish(),
  finishMessage: z.string().nullish(),
});

export const generateContentResponse = z.object({
  candidates: z.array(candidate).nullish(),
  promptFeedback: z.object({ blockReason: z.string().nullish() }).nullish(),
  usageMetadata: z.object({ candidatesTokenCount: z.number().nullish() }).nullish().catch(null),
});
export type GenerateContentResponse = z.infer<typeof generateContentResponse>;

/** Finish reasons by which the model's output was withheld. */
export const WITHHELD_REASONS: ReadonlySet<string> = new Set([
  'SAFETY',
  'PROHIBITED_CONTENT',
  'BLOCKLIST',
  'SPII',
  'RECITATION',
  'IMAGE_SAFETY',
  'IMAGE_PROHIBITED_CONTENT',
  'IMAGE_RECITATION',
  'IMAGE_OTHER',
]);
