/** A month of an account, from its anchor day to the next, in UTC. The end is exclusive. */
export interface Period {
  readonly startsAt: Date;
  readonly endsAt: Date;
}

/**
 * The period that `now` falls into. Periods start on the anchor's day and time of day, clipped to a shorter month's
 * last day: an account opened on 31 January starts its periods on 28 or 29 February, 31 March, 30 April.
 */
export function periodAt(anchor: Date, now: Date): Period {
  const months = (now.getUTCFullYear() - anchor.getUTCFullYear()) * 12 + now.getUTCMonth() - anchor.getUTCMonth();
  const started = monthsAfter(anchor, months) <= now ? months : months - 1;
  return { startsAt: monthsAfter(anchor, started), endsAt: monthsAfter(anchor, started + 1) };
}

function monthsAfter(anchor: Date, months: number): Date {
  const moved = new Date(anchor);
  moved.setUTCDate(1);
  moved.setUTCMonth(moved.getUTCMonth() + months);
  const lastDay = new Date(Date.UTC(moved.getUTCFullYear(), moved.getUTCMonth() + 1, 0)).getUTCDate();
  moved.setUTCDate(Math.min(anchor.getUTCDate(), lastDay));
  return moved;
}
