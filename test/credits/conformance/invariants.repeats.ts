import { isDeepStrictEqual } from 'node:util';
import { OPENED } from '../ledger.ts';
import type { Invariant } from './invariants.ts';
import type { Answer, Subject } from './subject.ts';

/** What must hold of a submission that arrives more than once under one key. */
export const REPEATED: readonly Invariant[] = [
  {
    id: 'INV-04',
    name: 'a duplicate is a no-op',
    why: 'the retry that a client sends after a time-out costs the customer a second time',
    atOnce: false,
    check: isAppliedOnce,
  },
  {
    id: 'INV-05',
    name: '64 duplicates collapse to one',
    why: 'a button that is clicked twice lands twice within the same millisecond',
    atOnce: true,
    check: areCollapsed,
  },
  {
    id: 'INV-15',
    name: 'a duplicate of a refused transaction is not reported as applied',
    why: 'the caller believes that it is done and stops trying, and nothing was ever done',
    atOnce: true,
    check: isNeverSaidToBeApplied,
  },
];

async function isAppliedOnce(subject: Subject): Promise<string[]> {
  const { ledger } = subject;
  const accountId = await ledger.open({ monthly: 10_000n });
  const submitted = { accountId, key: 'again', amount: 2_500n };
  const first = await subject.submit(submitted);
  const before = await ledger.everythingOf(accountId);
  const second = await subject.submit(submitted);

  const held = await subject.bucket(accountId, 'held');
  return [
    ...(first.kind === 'applied' ? [] : [`the first was ${first.kind}`]),
    ...(isDeepStrictEqual(second, { ...first, kind: 'duplicate' })
      ? []
      : [`the second was ${second.kind}, and not known as a duplicate of the first`]),
    ...(held === 2_500n ? [] : [`${held} are held for one submission of 2500`]),
    ...(isDeepStrictEqual(await ledger.everythingOf(accountId), before) ? [] : ['the second wrote to the ledger']),
  ];
}

const DUPLICATES = 64;

async function areCollapsed(subject: Subject): Promise<string[]> {
  const accountId = await subject.ledger.open({ monthly: 100_000n * BigInt(DUPLICATES) });
  const answers = await subject.atOnce(DUPLICATES, () => subject.submit({ accountId, key: 'race', amount: 100_000n }));
  const applied = answers.filter(({ kind }) => kind === 'applied');
  const jobs = new Set(answers.map((answer) => (answer.kind === 'refused' ? answer.refusal : answer.jobId)));
  const held = await subject.bucket(accountId, 'held');
  return [
    ...(applied.length === 1 ? [] : [`${applied.length} of ${DUPLICATES} at once were applied`]),
    ...(jobs.size === 1 ? [] : [`${DUPLICATES} callers were told of ${jobs.size} different jobs`]),
    ...(held === 100_000n ? [] : [`${held} are held for one submission of 100000`]),
  ];
}

const CROWD = 32;

async function isNeverSaidToBeApplied(subject: Subject): Promise<string[]> {
  const { ledger } = subject;
  const accountId = await ledger.open({ monthly: 5n });
  const before = await ledger.everythingOf(accountId);
  const calm = { accountId, key: 'calm', amount: 10n };
  const inTurn = [await subject.submit(calm), await subject.submit(calm)];
  const crowd = await subject.atOnce(CROWD, () => subject.submit({ accountId, key: 'crowd', amount: 10n }));
  const hasMoved = !isDeepStrictEqual(await ledger.everythingOf(accountId), before);

  // A key that took no effect was never used: once there are credits, it works.
  await ledger.credits.topUp(accountId, 5n, 'Top-up', OPENED);
  const funded = await subject.submit(calm);
  return [
    ...told(inTurn, 'one after the other'),
    ...told(crowd, 'at once'),
    ...(hasMoved ? ['a refused submission was written'] : []),
    ...(funded.kind === 'applied' ? [] : [`with enough credits the key of a refused submission was ${funded.kind}`]),
  ];
}

function told(answers: readonly Answer[], how: string): string[] {
  const wrong = answers.filter((answer) => !isDeepStrictEqual(answer, { kind: 'refused', refusal: 'INSUFFICIENT' }));
  const kinds = [...new Set(wrong.map(({ kind }) => kind))].join(' and ');
  return wrong.length === 0
    ? []
    : [`${wrong.length} of ${answers.length} ${how} were told that it was ${kinds}, and it was refused`];
}
