import { CRASH_POINTS, type CrashPoint } from '../../src/platform/crash-points.ts';
import type { Crash } from './processes.ts';
import type { Random } from './random.ts';
import type { Role } from './stage.ts';

/** What becomes of one life of a process. Times are milliseconds after it has come up. */
export type Fate =
  | { readonly kind: 'crash'; readonly crash: Crash }
  | { readonly kind: 'kill'; readonly afterMs: number }
  | { readonly kind: 'terminate'; readonly afterMs: number }
  /** Stopped in the middle, and killed some time after it has woken up. */
  | { readonly kind: 'freeze'; readonly afterMs: number; readonly frozenMs: number; readonly killedAfterMs: number };

/** Steps that only a process which takes requests comes to; the others are steps of a worker. */
const AT_THE_DOOR: ReadonlySet<CrashPoint> = new Set([
  'key-claimed',
  'job-written',
  'job-enqueued',
  'credits-held',
  'submission-committed',
  'images-cancelled',
  'period-entered',
]);

function isStepOf(role: Role): (step: CrashPoint) => boolean {
  return (step) => role === 'all' || AT_THE_DOOR.has(step) === (role === 'gateway');
}

/** What every role goes through once as well, in between. */
const OTHER_ENDS = ['freeze', 'terminate', 'kill'] as const;
const STEPS_BETWEEN = 3;
const ROTA_PASSES_MAX = 2;
const CHANCE_PASSES_MAX = 15;
const LIFE_MS_MAX = 6_000;
/** Longer than a lease. */
const FROZEN_MS = [2_600, 4_500] as const;

/** Deals out fates: first every step at which a process can die, then whatever chance says. */
export class Fates {
  /** How often a process has died at each step. */
  readonly hits = new Map<CrashPoint, number>(CRASH_POINTS.map((step) => [step, 0]));
  readonly #random: Random;
  readonly #waiting: CrashPoint[] = [...CRASH_POINTS];
  readonly #lives = new Map<Role, number>();

  constructor(random: Random) {
    this.#random = random;
  }

  /** Steps at which no process has died so far. */
  get missing(): CrashPoint[] {
    return CRASH_POINTS.filter((step) => this.hits.get(step) === 0);
  }

  next(role: Role): Fate {
    const lives = (this.#lives.get(role) ?? 0) + 1;
    this.#lives.set(role, lives);
    const other = lives % STEPS_BETWEEN === 0 ? OTHER_ENDS[lives / STEPS_BETWEEN - 1] : undefined;
    if (other) return this.#otherEnd(other);
    const isOurs = isStepOf(role);
    const place = this.#waiting.findIndex(isOurs);
    const [step] = place === -1 ? [] : this.#waiting.splice(place, 1);
    if (step) return { kind: 'crash', crash: { at: step, passes: this.#random.whole(1, ROTA_PASSES_MAX) } };
    return this.#byChance(CRASH_POINTS.filter(isOurs));
  }

  /** How an armed process ended; a step that it never came to has another turn. */
  note({ at }: Crash, wasHit: boolean): void {
    if (wasHit) this.hits.set(at, (this.hits.get(at) ?? 0) + 1);
    else if (this.hits.get(at) === 0 && !this.#waiting.includes(at)) this.#waiting.push(at);
  }

  #byChance(steps: readonly CrashPoint[]): Fate {
    const random = this.#random;
    const roll = random.whole(1, 100);
    if (roll <= 45)
      return { kind: 'crash', crash: { at: random.pick(steps), passes: random.whole(1, CHANCE_PASSES_MAX) } };
    if (roll <= 60) return this.#otherEnd('kill');
    return this.#otherEnd(roll <= 72 ? 'terminate' : 'freeze');
  }

  #otherEnd(kind: (typeof OTHER_ENDS)[number]): Fate {
    const random = this.#random;
    const afterMs = random.whole(200, LIFE_MS_MAX);
    if (kind !== 'freeze') return { kind, afterMs };
    const frozenMs = random.whole(...FROZEN_MS);
    return { kind, afterMs, frozenMs, killedAfterMs: random.whole(1_000, LIFE_MS_MAX) };
  }
}
