import { createHash } from 'node:crypto';

/**
 * Chance that a seed repeats. Each `branch` is a sequence of its own, so that what one part of the program draws does not
 * shift what another one does, however their turns fall.
 */
export class Random {
  readonly #seed: string;
  #turn = 0;

  constructor(seed: number | string) {
    this.#seed = String(seed);
  }

  branch(name: string): Random {
    return new Random(`${this.#seed}/${name}`);
  }

  /** From 0 up to, but without, 1. */
  next(): number {
    this.#turn += 1;
    return createHash('sha256').update(`${this.#seed}#${this.#turn}`).digest().readUInt32LE(0) / 2 ** 32;
  }

  /** A whole number, both ends included. */
  whole(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1));
  }

  /** True for so many of a hundred. */
  percent(share: number): boolean {
    return this.next() * 100 < share;
  }

  pick<T>(choices: readonly T[]): T {
    const choice = choices[this.whole(0, choices.length - 1)];
    if (choice === undefined) throw new Error('there is nothing to choose from');
    return choice;
  }
}
