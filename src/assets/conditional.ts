import type { ByteRange } from './storage.ts';

/** What HTTP compares: both stay the same for as long as the bytes do. */
export interface Validators {
  /** Strong, with its quotes. */
  readonly etag: string;
  /** HTTP dates have whole seconds. */
  readonly lastModified: Date;
}

export interface ConditionalHeaders {
  readonly 'if-none-match'?: string | undefined;
  readonly 'if-modified-since'?: string | undefined;
  readonly 'if-range'?: string | undefined;
  readonly range?: string | undefined;
}

/** Whether the client's copy is still good (RFC 9110, 13.1.2 and 13.1.3: a date counts only where no tag is given). */
export function isNotModified(headers: ConditionalHeaders, { etag, lastModified }: Validators): boolean {
  const tags = headers['if-none-match'];
  if (tags !== undefined) {
    return tags.split(',').some((tag) => tag.trim() === '*' || tag.trim().replace(/^W\//, '') === etag);
  }
  const since = Date.parse(headers['if-modified-since'] ?? '');
  return !Number.isNaN(since) && lastModified.getTime() <= since;
}

/**
 * The one range to answer with. Null means the whole: none was asked for, several were, it is malformed, or the copy
 * it would continue is another one. 'UNSATISFIABLE' means that it lies behind the end.
 */
export function rangeToSend(
  headers: ConditionalHeaders,
  { etag, lastModified }: Validators,
  size: number,
): ByteRange | 'UNSATISFIABLE' | null {
  const ifRange = headers['if-range'];
  if (ifRange !== undefined && ifRange !== etag && ifRange !== lastModified.toUTCString()) return null;
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/i.exec(headers.range?.trim() ?? '') ?? [];
  if (first === '' && last === '') return null;
  if (first === '') {
    const length = Number(last);
    return length === 0 ? 'UNSATISFIABLE' : { start: Math.max(0, size - length), end: size - 1 };
  }
  const start = Number(first);
  const end = last === '' ? size - 1 : Math.min(Number(last), size - 1);
  if (last !== '' && Number(last) < start) return null;
  return start >= size ? 'UNSATISFIABLE' : { start, end };
}
