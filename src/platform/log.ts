import { type DestinationStream, pino } from 'pino';
import type { Config } from '../config.ts';

export type Log = pino.Logger;

export interface LogOptions {
  /** Whether prompts may stand in it; their fields are left out where they may not, which is usual. */
  readonly prompts?: boolean;
  /** Texts that are blotted out wherever they turn up; those of fewer than 8 characters are ordinary words. */
  readonly secrets?: readonly string[];
  /** Where its lines go; standard error unless given, so that standard output is for what people asked to see. */
  readonly to?: DestinationStream;
}

const SECRET_LENGTH_MIN = 8;
const BLOT = '[redacted]';
/** Fields that hold a prompt, or an input that holds one. */
const PROMPT_FIELDS = ['prompt', 'negativePrompt', 'request', '*.prompt', '*.negativePrompt', '*.request'];
/** What passes for a secret by its form, whoever's it is: keys we issue, bearer tokens, signatures in URLs, passwords in URLs. */
const SECRET_FORMS =
  /\bisg_[\w-]{43}|\bwhsec_[\w-]+|(?<=\bBearer )[^\s"\\]+|(?<=[?&](?:signature|sig|token|key)=)[^&\s"\\]+|(?<=:\/\/[^\s"/:@]*:)[^\s"/@]+(?=@)/gi;

/** JSON lines. Never a key, a token or a signed address, whatever is handed to it; a prompt only if that is allowed. */
export function createLog(
  level: string,
  { prompts = false, secrets = [], to = pino.destination(2) }: LogOptions = {},
): Log {
  const blotted = blotter(secrets);
  return pino(
    {
      level,
      base: null,
      ...(!prompts && { redact: { paths: PROMPT_FIELDS, remove: true } }),
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: plainError },
      timestamp: pino.stdTimeFunctions.isoTime,
      hooks: { streamWrite: blotted },
    },
    to,
  );
}

/** The log of a process, which knows the secrets that it was configured with. */
export function openLog({ logLevel, logPrompts, providers, signingKeys }: Config, to?: DestinationStream): Log {
  const keys = Object.values(providers).flatMap((setting) => (setting.mode === 'LIVE' ? [setting.apiKey] : []));
  const secrets = [...keys, ...(signingKeys ?? [])];
  return createLog(logLevel, { prompts: logPrompts, secrets, ...(to && { to }) });
}

/** Blots secrets out of a line that is about to be written: the last thing that happens to it. */
function blotter(secrets: readonly string[]): (line: string) => string {
  const known = secrets
    .filter(({ length }) => length >= SECRET_LENGTH_MIN)
    // As they stand within a JSON string.
    .map((secret) => JSON.stringify(secret).slice(1, -1));
  return (line) => known.reduce((clean, secret) => clean.replaceAll(secret, BLOT), line).replaceAll(SECRET_FORMS, BLOT);
}

/**
 * What happened and where. Errors of a database also carry the row or the text that they are about, and with it what a
 * customer wrote.
 */
function plainError(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return {
    type: error.name,
    message: error.message,
    ...(code !== undefined && { code }),
    stack: error.stack,
    ...(error.cause !== undefined && { cause: plainError(error.cause) }),
  };
}
