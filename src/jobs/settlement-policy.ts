import type { AttemptOutcome, FailureCode, JobImage } from './job.ts';

/** What becomes of the credits held for an image. */
export const CREDITS_ENDS = ['CAPTURED', 'RELEASED', 'STILL_HELD'] as const;
/** Whether what the vendor charges, or may charge, is written down as our cost. The customer never pays it. */
export const VENDOR_COSTS = ['BOOKED', 'BOOKED_IF_BILLED', 'NONE'] as const;
/** What is done next for the image. After `NEXT_ROUTE` it ends when none is left. */
export const NEXT_STEPS = ['END', 'NEXT_ROUTE', 'POLL', 'RUN_AGAIN'] as const;

/** Everything that can happen to an image. */
export const SETTLEMENT_EVENTS = [
  'DELIVERED',
  'REJECTED',
  'VENDOR_FAILED',
  'WITHHELD',
  'BROKEN',
  'NOT_STORABLE',
  'UNKNOWN',
  'NO_ROUTE_OPEN',
  'DEADLINE_PASSED',
  'SOURCE_FAILED',
  'SOURCE_UNUSABLE',
  'CANCELLED_BEFORE_CALL',
  'CANCELLED_DURING_CALL',
  'DIED_BEFORE_CALL',
  'DIED_AFTER_ACCEPTANCE',
  'DIED_DURING_CALL',
] as const;
export type SettlementEvent = (typeof SETTLEMENT_EVENTS)[number];

export interface SettlementRule {
  /** For a person: when this applies. */
  readonly when: string;
  /** When the image ends with this. */
  readonly credits: (typeof CREDITS_ENDS)[number];
  readonly vendorCost: (typeof VENDOR_COSTS)[number];
  readonly next: (typeof NEXT_STEPS)[number];
  /** Whether another route of the same vendor may be asked for this image afterwards: never where it may be bought. */
  readonly sameVendorAgain: boolean;
  /** What the image fails with when it ends with this; null where it does not fail. */
  readonly failureCode: FailureCode | null;
}

const DELIVERED = { credits: 'CAPTURED', vendorCost: 'BOOKED', next: 'END' } as const;
const GONE_ON = { credits: 'RELEASED', next: 'NEXT_ROUTE' } as const;
const ENDED = { credits: 'RELEASED', next: 'END', sameVendorAgain: false } as const;
const HELD_ON = { credits: 'STILL_HELD', vendorCost: 'NONE', failureCode: null } as const;
const MAYBE_BOUGHT = {
  ...GONE_ON,
  vendorCost: 'BOOKED',
  sameVendorAgain: false,
  failureCode: 'OUTCOME_UNKNOWN',
} as const;

/** How every image is settled, whatever happens to it: the jobs follow this table, and the schema shows it. */
export const SETTLEMENT_POLICY: Readonly<Record<SettlementEvent, SettlementRule>> = {
  DELIVERED: {
    ...DELIVERED,
    when: 'A picture came before its job had ended, on time or late, and is in the library.',
    sameVendorAgain: false,
    failureCode: null,
  },
  REJECTED: {
    ...GONE_ON,
    when: 'A vendor turned the order down, or could not be reached before it was sent.',
    vendorCost: 'NONE',
    sameVendorAgain: true,
    failureCode: 'PROVIDERS_REFUSED',
  },
  VENDOR_FAILED: {
    ...GONE_ON,
    when: 'A vendor took the order and says that it failed at it, which it does not charge.',
    vendorCost: 'NONE',
    sameVendorAgain: true,
    failureCode: 'PROVIDERS_REFUSED',
  },
  WITHHELD: {
    ...ENDED,
    when: "A vendor's moderation withheld or blanked it, before or after drawing. Nobody else is asked.",
    vendorCost: 'BOOKED_IF_BILLED',
    failureCode: 'CONTENT_REFUSED',
  },
  BROKEN: {
    ...GONE_ON,
    when: 'A vendor says that it drew it, and what came is not the picture that was ordered.',
    vendorCost: 'BOOKED',
    sameVendorAgain: false,
    failureCode: 'UNUSABLE_PICTURE',
  },
  NOT_STORABLE: {
    ...ENDED,
    when: 'It was made, and we could not store it.',
    vendorCost: 'BOOKED',
    failureCode: 'NOT_STORABLE',
  },
  UNKNOWN: {
    ...MAYBE_BOUGHT,
    when: 'A vendor did not say whether it drew it: an error of its own, a broken line or silence after the order was sent.',
  },
  NO_ROUTE_OPEN: {
    ...ENDED,
    when: 'Every vendor that could draw it is down, or its circuit is open, for longer than is waited.',
    vendorCost: 'NONE',
    failureCode: 'PROVIDERS_UNAVAILABLE',
  },
  DEADLINE_PASSED: {
    ...ENDED,
    when: 'Its time is over. What its calls may have cost is booked with each of them.',
    vendorCost: 'NONE',
    failureCode: 'DEADLINE_PASSED',
  },
  SOURCE_FAILED: {
    ...ENDED,
    when: 'The picture of the job that it builds on was not delivered.',
    vendorCost: 'NONE',
    failureCode: 'SOURCE_FAILED',
  },
  SOURCE_UNUSABLE: {
    ...ENDED,
    when: 'The picture that it works on is gone, or cannot be read.',
    vendorCost: 'NONE',
    failureCode: 'SOURCE_UNUSABLE',
  },
  CANCELLED_BEFORE_CALL: {
    ...ENDED,
    when: 'Its job was cancelled before a vendor was asked.',
    vendorCost: 'NONE',
    failureCode: null,
  },
  CANCELLED_DURING_CALL: {
    ...ENDED,
    when: 'Its job was cancelled while a vendor was asked. What comes later is discarded.',
    vendorCost: 'BOOKED',
    failureCode: null,
  },
  DIED_BEFORE_CALL: {
    ...HELD_ON,
    when: 'The process that worked on it died before a vendor was asked.',
    next: 'RUN_AGAIN',
    sameVendorAgain: true,
  },
  DIED_AFTER_ACCEPTANCE: {
    ...HELD_ON,
    when: 'The process died after a vendor had accepted the order, and its job there is known.',
    next: 'POLL',
    sameVendorAgain: false,
  },
  DIED_DURING_CALL: {
    ...MAYBE_BOUGHT,
    when: 'The process died while a vendor was asked, and nobody knows whether it drew it.',
  },
};

/** What the end of a call is for its image. */
const EVENT_OF: Readonly<Record<AttemptOutcome, SettlementEvent>> = {
  delivered: 'DELIVERED',
  rejected: 'REJECTED',
  failed: 'VENDOR_FAILED',
  moderated: 'WITHHELD',
  broken: 'BROKEN',
  unknown: 'UNKNOWN',
  discarded: 'CANCELLED_DURING_CALL',
};

export function ruleOf(outcome: AttemptOutcome): SettlementRule {
  return SETTLEMENT_POLICY[EVENT_OF[outcome]];
}

/** Whether a call's end is booked as our cost; `billed` is what the vendor says of it, where it says so. */
export function isBooked({ vendorCost }: SettlementRule, billed: boolean): boolean {
  return vendorCost === 'BOOKED' || (vendorCost === 'BOOKED_IF_BILLED' && billed);
}

/** What an image that ends with this fails with. @throws for an event that fails nothing. */
export function failureOf(event: SettlementEvent): FailureCode {
  const { failureCode } = SETTLEMENT_POLICY[event];
  if (failureCode === null) throw new Error(`${event} fails no image`);
  return failureCode;
}

/** What becomes of the credits of an image as it stands. */
export function creditsEndOf({ status, failureCode }: Pick<JobImage, 'status' | 'failureCode'>) {
  switch (status) {
    case 'DELIVERED':
      return SETTLEMENT_POLICY.DELIVERED.credits;
    case 'CANCELLED':
      return SETTLEMENT_POLICY.CANCELLED_BEFORE_CALL.credits;
    case 'FAILED': {
      const rule = Object.values(SETTLEMENT_POLICY).find((each) => each.failureCode === failureCode);
      if (!rule) throw new Error(`no rule says how an image that failed with ${failureCode} is settled`);
      return rule.credits;
    }
    default:
      return 'STILL_HELD';
  }
}
