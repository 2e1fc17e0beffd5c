import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import type { Engine } from './stage.ts';

export interface TortureOptions {
  readonly minutes: number;
  readonly seed: number;
  readonly engine: Engine;
  readonly redis: boolean;
}

const SEED_MAX = 2 ** 32;

/** @throws with what is wrong about the arguments. */
export function readOptions(words: readonly string[]): TortureOptions {
  const { values } = parseArgs({
    args: [...words],
    allowNegative: true,
    options: {
      minutes: { type: 'string', default: '1' },
      seed: { type: 'string' },
      engine: { type: 'string', default: 'postgres' },
      redis: { type: 'boolean' },
    },
  });
  const minutes = Number(values.minutes);
  if (!(minutes > 0 && minutes <= 24 * 60)) throw new Error('--minutes must be a number above 0');
  const seed = values.seed === undefined ? randomInt(SEED_MAX) : Number(values.seed);
  if (!Number.isInteger(seed) || seed < 0 || seed >= SEED_MAX)
    throw new Error('--seed must be a whole number of 32 bits');
  const { engine } = values;
  if (engine !== 'postgres' && engine !== 'pglite') throw new Error('--engine must be postgres or pglite');
  if (engine === 'pglite' && values.redis)
    throw new Error('--redis needs --engine postgres: one process has no use for it');
  return { minutes, seed, engine, redis: values.redis ?? engine === 'postgres' };
}
