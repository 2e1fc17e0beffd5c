const BLOT = '[the prompt]';

/**
 * A vendor's words without the customer's: what a vendor says of itself is told to others and stands in the log. Vendors'
 * messages come in one line and may be cut, so the prompt is looked for in one line too, and at the end in part.
 */
export function withoutPrompt(message: string, prompt: string): string {
  const words = prompt.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  if (words === '') return message;
  const literally = words.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
  const clean = message.replace(new RegExp(`(?<![\\p{L}\\p{N}])${literally}(?![\\p{L}\\p{N}])`, 'gu'), BLOT);
  if (!clean.endsWith('…')) return clean;
  const text = clean.slice(0, -1);
  for (let length = Math.min(words.length, text.length); length >= PART_LENGTH_MIN; length--) {
    if (text.endsWith(words.slice(0, length))) return `${text.slice(0, -length)}${BLOT}…`;
  }
  return clean;
}

/** Fewer letters at the end of a message that are also the beginning of the prompt are so by chance. */
const PART_LENGTH_MIN = 8;
