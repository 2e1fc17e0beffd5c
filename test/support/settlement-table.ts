import { SETTLEMENT_EVENTS, SETTLEMENT_POLICY, type SettlementRule } from '../../src/jobs/settlement-policy.ts';

const CUSTOMER: Record<SettlementRule['credits'], string> = {
  CAPTURED: 'charged, once',
  RELEASED: 'not charged',
  STILL_HELD: 'nothing yet',
};
const US: Record<SettlementRule['vendorCost'], string> = {
  BOOKED: "the vendor's price",
  BOOKED_IF_BILLED: "the vendor's price, where it charges",
  NONE: 'nothing',
};
const NEXT: Record<SettlementRule['next'], string> = {
  END: 'ends',
  NEXT_ROUTE: 'the next route is asked; ends when none is left',
  POLL: 'the vendor is asked for it until it ends',
  RUN_AGAIN: 'is run again',
};

/** The README's table of who pays for what: the very policy that the jobs follow. */
export function settlementTable(): string {
  const rows = SETTLEMENT_EVENTS.map((event) => {
    const { when, credits, vendorCost, next, sameVendorAgain } = SETTLEMENT_POLICY[event];
    const more = next === 'NEXT_ROUTE' && !sameVendorAgain ? ', never of the same vendor' : '';
    return [`\`${event}\`: ${when}`, `${NEXT[next]}${more}`, CUSTOMER[credits], US[vendorCost]];
  });
  const head = ['what happened to an image', 'what follows', 'customer', 'us'];
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
