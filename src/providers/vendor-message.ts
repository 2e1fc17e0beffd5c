const MESSAGE_LENGTH_MAX = 300;
/** An error is explained at the start of an answer or not at all. */
const READ_BYTES_MAX = 65_536;
const NESTING_MAX = 4;

/** Where vendors put their explanations, the most telling first. */
const MESSAGE_KEYS = ['errors', 'error', 'detail', 'message', 'msg', 'data', 'name', 'status'] as const;

/**
 * What an answer that is not a picture says, in one short line fit for a log: out of JSON of any vendor's shape, out of
 * an HTML page its title, else its text. `secrets` and whatever looks like a key are blotted out, because vendors
 * repeat keys in their complaints about them.
 */
export function vendorMessage(body: Buffer, secrets: readonly string[]): string {
  if (body.length === 0) return 'an empty answer';
  const text = body.toString('utf8', 0, READ_BYTES_MAX).trim();
  if (text.startsWith('<')) {
    const title = /<title[^>]*>([^<]*)</i.exec(text)?.[1] ?? '';
    return title.trim() === '' ? 'a page of HTML' : `a page of HTML: ${oneLine(title, secrets)}`;
  }
  const explained = explanationIn(parsed(text), 0) ?? text;
  // Of what is not text at all, only the size is of use. U+FFFD stands for bytes that are not UTF-8.
  if (explained.slice(0, MESSAGE_LENGTH_MAX).includes('\uFFFD')) return `${body.length} bytes that are not text`;
  return oneLine(explained, secrets);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function explanationIn(value: unknown, depth: number): string | null {
  if (typeof value === 'string') return value.trim() === '' ? null : value;
  if (typeof value !== 'object' || value === null || depth > NESTING_MAX) return null;
  const parts: unknown[] = Array.isArray(value)
    ? value
    : MESSAGE_KEYS.filter((key) => Object.hasOwn(value, key)).map((key) => (value as Record<string, unknown>)[key]);
  for (const part of parts) {
    const found = explanationIn(part, depth + 1);
    if (found !== null) return found;
  }
  return null;
}

const KEY_LIKE =
  /\b(?:sk|hf|wsk)[-_][\w-]{8,}|\bAIza[\w-]{10,}|\bBearer\s+[^\s"',]+|([?&](?:key|token|signature|sig)=)[^&\s"']+/gi;
const REDACTED = '[redacted]';

/** Cut only after the secrets are out: half a key at the end would no longer be recognised. */
function oneLine(text: string, secrets: readonly string[]): string {
  const clean = secrets
    .filter((secret) => secret !== '')
    .reduce((line, secret) => line.replaceAll(secret, REDACTED), text)
    .replace(KEY_LIKE, (_match, parameter: string | undefined) => `${parameter ?? ''}${REDACTED}`)
    .replace(/[\p{Cc}\s]+/gu, ' ')
    .trim();
  return clean.length > MESSAGE_LENGTH_MAX ? `${clean.slice(0, MESSAGE_LENGTH_MAX - 1)}…` : clean;
}
