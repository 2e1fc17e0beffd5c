import type { Clock } from '../../src/platform/clock.ts';

/** A clock that stands still until it is moved. */
export class TestClock implements Clock {
  #now: Date;

  constructor(now: string | Date = '2026-03-15T12:00:00Z') {
    this.#now = new Date(now);
  }

  now(): Date {
    return new Date(this.#now);
  }

  set(now: string | Date): void {
    this.#now = new Date(now);
  }

  advance(seconds: number): void {
    this.#now = new Date(this.#now.getTime() + seconds * 1000);
  }
}
