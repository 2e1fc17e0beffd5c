import { z } from 'zod';
import type { Signer } from '../platform/signer.ts';

export const QUOTE_LIFETIME_SECONDS = 600;
const PURPOSE = 'quote';

/** The promise inside an estimate: this account may run exactly this input for at most these credits until then. */
export interface Quote {
  readonly accountId: string;
  readonly inputHash: string;
  /** Milli-credits in total, after the free allowance. */
  readonly credits: bigint;
  readonly priceVersion: number;
  /** Images that free allowances pay for, by provider. */
  readonly freeImages: Readonly<Record<string, number>>;
  readonly expiresAt: Date;
}

const payload = z.strictObject({
  a: z.string(),
  h: z.string(),
  c: z.string().regex(/^\d{1,15}$/),
  v: z.number().int(),
  f: z.record(z.string(), z.number().int().min(1)),
  x: z.number().int(),
});

/** A quote as a token that only we can have made: `base64url(JSON).signature`. */
export function signQuote(signer: Signer, quote: Quote): string {
  const body = Buffer.from(
    JSON.stringify({
      a: quote.accountId,
      h: quote.inputHash,
      c: quote.credits.toString(),
      v: quote.priceVersion,
      f: quote.freeImages,
      x: Math.floor(quote.expiresAt.getTime() / 1000),
    } satisfies z.infer<typeof payload>),
  ).toString('base64url');
  return `${body}.${signer.sign(PURPOSE, body)}`;
}

/** The quote inside a token, or null for anything that we did not sign so. Says nothing about expiry or whose it is. */
export function readQuote(signer: Signer, token: string): Quote | null {
  const [body, signature, ...rest] = token.length > 2048 ? [] : token.split('.');
  if (!body || !signature || rest.length > 0 || !signer.verify(PURPOSE, body, signature)) return null;
  const read = payload.safeParse(JSON.parse(Buffer.from(body, 'base64url').toString())).data;
  return read
    ? {
        accountId: read.a,
        inputHash: read.h,
        credits: BigInt(read.c),
        priceVersion: read.v,
        freeImages: read.f,
        expiresAt: new Date(read.x * 1000),
      }
    : null;
}
