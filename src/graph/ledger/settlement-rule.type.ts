import { Field, ObjectType, registerEnumType } from 'type-graphql';
import {
  CREDITS_ENDS,
  NEXT_STEPS,
  SETTLEMENT_EVENTS,
  SETTLEMENT_POLICY,
  VENDOR_COSTS,
} from '../../jobs/settlement-policy.ts';
import { FailureCodeEnum, named } from '../enums.ts';

const SettlementEventEnum = named(SETTLEMENT_EVENTS);
registerEnumType(SettlementEventEnum, {
  name: 'SettlementEvent',
  description: 'What can happen to an image; each rule of the settlement policy says in words when.',
});

const CreditsEndEnum = named(CREDITS_ENDS);
registerEnumType(CreditsEndEnum, {
  name: 'CreditsEnd',
  description: 'What becomes of the credits held for an image.',
  valuesConfig: {
    CAPTURED: { description: 'They are taken, once.' },
    RELEASED: { description: 'They are given back.' },
    STILL_HELD: { description: 'They stay set aside until the image ends in another way.' },
  },
});

const VendorCostEnum = named(VENDOR_COSTS);
registerEnumType(VendorCostEnum, {
  name: 'VendorCost',
  description: "Whether a vendor's charge is booked as the gateway's own cost. The customer never pays it.",
  valuesConfig: {
    BOOKED: { description: 'It is, because it is charged or may be.' },
    BOOKED_IF_BILLED: { description: 'It is where the vendor charges for this.' },
    NONE: { description: 'There is none.' },
  },
});

const SettlementStepEnum = named(NEXT_STEPS);
registerEnumType(SettlementStepEnum, {
  name: 'SettlementStep',
  description: 'What is done next for an image.',
  valuesConfig: {
    END: { description: 'Nothing: it has ended.' },
    NEXT_ROUTE: { description: 'Another route is asked; it ends when none is left.' },
    POLL: { description: "The vendor's job is asked for until it ends." },
    RUN_AGAIN: { description: 'It is run as if nothing had happened.' },
  },
});

@ObjectType({
  description: 'How an image is settled when something happens to it. The gateway follows this very table.',
  simpleResolvers: true,
})
export class SettlementRule {
  @Field(() => SettlementEventEnum, { description: 'What happened.' })
  event!: string;

  @Field(() => String, { description: 'When that is.' })
  when!: string;

  @Field(() => CreditsEndEnum, {
    description: 'What becomes of the credits held for the image, when it ends with this.',
  })
  credits!: string;

  @Field(() => VendorCostEnum, { description: "Whether the vendor's charge is booked as the gateway's own cost." })
  vendorCost!: string;

  @Field(() => SettlementStepEnum, { description: 'What is done next for the image.' })
  next!: string;

  @Field(() => Boolean, {
    description:
      'Whether the same vendor may be asked for this image again; never where it may have been bought there.',
  })
  sameVendorAgain!: boolean;

  @Field(() => FailureCodeEnum, {
    nullable: true,
    description: 'What the image fails with when it ends with this; null where it does not fail.',
  })
  failureCode!: string | null;
}

export const SETTLEMENT_RULES: readonly SettlementRule[] = SETTLEMENT_EVENTS.map((event) => ({
  event,
  ...SETTLEMENT_POLICY[event],
}));
