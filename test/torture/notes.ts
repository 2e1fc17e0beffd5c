import type { Told } from './customers.ts';
import { Tally } from './tally.ts';

const VIOLATIONS_MAX = 50;

/** Everything that a run keeps count of. */
export class Notes {
  readonly counts = new Tally();
  readonly refusals = new Tally();
  readonly troubles = new Tally();
  readonly kills = new Tally();
  readonly told: Told[] = [];
  readonly violations: string[] = [];
  /** How often all laws were checked while it ran. */
  looks = 0;

  readonly violation = (text: string): void => {
    // The same is found again and again while it runs.
    if (!this.violations.includes(text) && this.violations.length < VIOLATIONS_MAX) this.violations.push(text);
  };
}
