import { GraphQLError, GraphQLScalarType, Kind } from 'graphql';
import { GraphQLDateTimeISO } from 'graphql-scalars';

const MILLI = 1000;
const CREDITS_MAX = 1_000_000_000_000;

/** Credits go out as numbers with at most three decimals; inside they are whole milli-credits. */
export const CreditsScalar = new GraphQLScalarType<bigint, number>({
  name: 'Credits',
  description:
    'An amount of credits: a number with at most three decimals, such as 6.5. Kept as whole thousandths, so it never drifts.',
  serialize(value) {
    if (typeof value !== 'bigint') throw new GraphQLError(`Credits must be a bigint inside, not ${typeof value}`);
    return Number(value) / MILLI;
  },
  parseValue: toMilliCredits,
  parseLiteral(node) {
    return toMilliCredits(node.kind === Kind.INT || node.kind === Kind.FLOAT ? Number(node.value) : Number.NaN);
  },
});

function toMilliCredits(value: unknown): bigint {
  if (typeof value !== 'number' || !(Math.abs(value) <= CREDITS_MAX) || Math.round(value * MILLI) / MILLI !== value) {
    throw new GraphQLError(`Credits must be a number with at most three decimals, not ${JSON.stringify(value)}`);
  }
  return BigInt(Math.round(value * MILLI));
}

/** The library's scalar under the name that clients know. */
export const DateTimeScalar = new GraphQLScalarType({
  ...GraphQLDateTimeISO.toConfig(),
  name: 'DateTime',
  description: 'A moment, as ISO 8601 in UTC, such as 2026-01-31T12:00:00.000Z.',
});
