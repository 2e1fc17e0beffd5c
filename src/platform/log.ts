import { pino } from 'pino';

export type Log = pino.Logger;

/** JSON lines on stderr, so that stdout is for what people asked to see; never a key, a token or a prompt. */
export function createLog(level: string): Log {
  return pino(
    {
      level,
      base: null,
      redact: ['req.headers.authorization', '*.apiKey', '*.authorization', '*.prompt'],
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    pino.destination(2),
  );
}
