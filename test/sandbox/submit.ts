import type { Vendor } from '../../src/sandbox/faults.menu.ts';
import type { Sandbox } from '../../src/sandbox/sandbox.ts';
import { askGemini, askInference, askStability, askWavespeed, BANANA, geminiBody, QWEN, type Reply } from './ask.ts';

/** Asks a vendor for a picture of 1024 by 1024, or what comes nearest, from the seed 1. */
export type Ask = (sandbox: Sandbox, prompt: string, signal?: AbortSignal) => Promise<Reply>;

const given = (signal: AbortSignal | undefined) => (signal ? { signal } : {});

export const SUBMIT: Record<Vendor, Ask> = {
  stability: (at, prompt, signal) => askStability(at, 'core', { prompt, seed: 1 }, given(signal)),
  wavespeed: (at, prompt, signal) => askWavespeed(at, QWEN, { prompt, seed: 1 }, given(signal)),
  huggingface: (at, prompt, signal) => askInference(at, { inputs: prompt, parameters: { seed: 1 } }, given(signal)),
  gemini: (at, prompt, signal) => askGemini(at, BANANA, geminiBody(prompt, { seed: 1 }), given(signal)),
};

/** The vendors that answer a submission with the picture. */
export const AT_ONCE = ['stability', 'huggingface', 'gemini'] as const;

/** The bytes of the picture in an answer. */
export function pictureIn(vendor: Vendor, reply: Reply): Buffer {
  if (vendor !== 'gemini') return reply.bytes;
  return Buffer.from(reply.json().candidates[0].content.parts.at(-1).inlineData.data, 'base64');
}
