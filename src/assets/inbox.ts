import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Readable, Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { UploadProblem, type UploadProblemReason } from './upload.ts';

export interface BodyLimits {
  readonly bytesMax: number;
  /** From the first byte to the last, however steadily they come. */
  readonly timeMaxMs: number;
  /** In each span of `paceMs` at least `paceBytesMin` must come. */
  readonly paceMs: number;
  readonly paceBytesMin: number;
}

/** A body that is longer than may be. */
export class BodyTooLong extends Error {
  override readonly name = 'BodyTooLong';
}

const LEFT_OVER_AGE_MS = 60 * 60_000;

/**
 * A folder for bodies that are still coming. They are on disk and not in memory, so that many slow senders cost sockets
 * and nothing else.
 */
export class Inbox {
  private constructor(private readonly folder: string) {}

  /** Makes the folder if need be, for our eyes only, and clears what a crash left. */
  static async open(folder: string): Promise<Inbox> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      // Another process may be receiving here now; only what nobody can still be writing goes.
      const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: Number.POSITIVE_INFINITY }));
      if (mtimeMs < Date.now() - LEFT_OVER_AGE_MS) await rm(path, { force: true });
    }
    return new Inbox(folder);
  }

  /**
   * Receives a body into a file, which is there only while `work` looks at it. A body that is not taken to its end is
   * left as it is, so that its sender can still be answered.
   * @throws BodyTooLong; UploadProblem where the sender is the cause; any other error is ours.
   */
  async receive<T>(
    body: Readable,
    limits: BodyLimits,
    signal: AbortSignal,
    work: (path: string) => Promise<T>,
  ): Promise<T> {
    const path = join(this.folder, randomUUID());
    try {
      await receiveInto(path, body, limits, signal);
      return await work(path);
    } finally {
      await rm(path, { force: true });
    }
  }
}

async function receiveInto(path: string, body: Readable, limits: BodyLimits, signal: AbortSignal): Promise<void> {
  const meter = new Meter(limits.bytesMax);
  const fail = (reason: UploadProblemReason) => meter.destroy(new UploadProblem(reason, MESSAGES[reason] ?? reason));
  const onClose = () => {
    if (!body.readableEnded) fail('BROKEN_OFF');
  };
  const onAbort = () => fail('STOPPING');
  let seen = 0;
  const timer = setTimeout(() => fail('TOO_SLOW'), limits.timeMaxMs);
  const pace = setInterval(() => {
    if (meter.bytes - seen < limits.paceBytesMin && !body.readableEnded) fail('TOO_SLOW');
    seen = meter.bytes;
  }, limits.paceMs);
  body.on('close', onClose).on('error', onClose);
  signal.addEventListener('abort', onAbort);
  try {
    const written = pipeline(meter, createWriteStream(path, { flags: 'wx', mode: 0o600 }));
    if (body.destroyed) onClose();
    else if (signal.aborted) onAbort();
    else body.pipe(meter);
    await written;
  } finally {
    clearTimeout(timer);
    clearInterval(pace);
    signal.removeEventListener('abort', onAbort);
    body.off('close', onClose).unpipe(meter);
  }
}

const MESSAGES: Partial<Record<UploadProblemReason, string>> = {
  BROKEN_OFF: 'The connection ended before the picture did. Send it to the same address again.',
  TOO_SLOW: 'The bytes of the picture came too slowly. Send it to the same address again, over a faster line.',
  STOPPING: 'This server is about to stop. Send the picture to the same address again.',
};

/** Lets through as many bytes as may come, and counts them. */
class Meter extends Transform {
  bytes = 0;

  constructor(private readonly bytesMax: number) {
    super();
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    this.bytes += chunk.length;
    if (this.bytes > this.bytesMax) done(new BodyTooLong(`more than ${this.bytesMax} bytes`));
    else done(null, chunk);
  }
}
