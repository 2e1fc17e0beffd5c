import {
  type Adapter,
  broken,
  type Cell,
  delivered,
  type EndedBy,
  type For,
  failed,
  na,
  type Row,
  row,
  unknown,
} from './contract.ts';

const answers = na('answers an order with the picture, so there is no job to ask about');
const reportsNothing = na('does not report by itself');
const oneRequest = na('its job and its result are one answer, which the rows about polls are about');
const hasNoAddress = na('sends its picture to whoever looks at the job, so it has no address of its own');

/** Found out by asking: a vendor that would report by itself is made not to. */
function queued(what: string, faults: string, cell: Cell, endedBy: EndedBy = 'VENDOR'): Row {
  return row(what, silently(faults), { answering: answers, queued: cell }, endedBy);
}

/** What can only become of a picture that is fetched from an address. */
function addressed(what: string, faults: string, cell: Cell): Row {
  return row(what, silently(faults), { answering: answers, queued: cell, collected: hasNoAddress });
}

/** What can become of a picture on its way, wherever it comes from. */
function fetched(what: string, fault: string, cell: Cell, endedBy: EndedBy = 'VENDOR'): Row {
  const faults = { ...silently(`${fault} on=download`), collected: `${fault} on=result` };
  return row(what, faults, { answering: answers, queued: cell }, endedBy);
}

function silently(faults: string) {
  return { all: faults, wavespeed: `${faults}; webhook-none` } satisfies For<string>;
}

/** A gateway lets its sandbox through by one name alone; by its other name it is any private host. */
const elsewhere: Cell = { ...delivered, inGateway: { kind: 'broken' } };

/** What becomes of jobs that a vendor has taken on, and of their results. */
export const JOB_ROWS: readonly Row[] = [
  queued('the job fails', 'poll-failed', failed),
  queued('the job is gone', 'poll-gone', unknown('yes')),
  queued('the job has an unheard-of status', 'poll-unknown-status', unknown('yes'), 'PATIENCE'),
  queued('the job never ends', 'poll-forever', unknown('yes'), 'PATIENCE'),
  queued('polls are answered with 500 for ever', 'status=500 on=poll', unknown('yes'), 'PATIENCE'),
  queued('polls are answered with 500, twice', 'status=500 on=poll times=2', delivered),
  queued('polls are limited, once', 'status=429 on=poll times=1', delivered),
  queued('polls are broken off, once', 'reset-midway on=poll times=1', delivered),
  row('asking for the result fails, once', 'status=502 on=result times=1', {
    answering: answers,
    wavespeed: oneRequest,
    'fal-ai': delivered,
    collected: delivered,
  }),
  addressed('the result is at another host', 'result-elsewhere', elsewhere),
  addressed('the result redirects to another host', 'result-redirected', elsewhere),
  addressed('the result is at a private address', 'result-private=10', broken),
  addressed('the result is at the metadata address', 'result-private=169', broken),
  addressed('the result redirects to a private address', 'result-redirected; result-private=192', broken),
  addressed('the result is gone', 'result-gone', broken),
  fetched('the result is broken off, once', 'reset-midway times=1', delivered),
  fetched('the result is broken off each time', 'reset-midway', unknown('yes'), 'PATIENCE'),
];

function reported(what: string, faults: string, wavespeed: Cell, endedBy: EndedBy = 'VENDOR'): Row {
  return row(
    what,
    faults,
    { all: reportsNothing, wavespeed } satisfies Partial<Record<Adapter | 'all', Cell>>,
    endedBy,
  );
}

const POLLS_FAIL = 'status=500 on=poll';

/** A report and polls beside each other. Whatever a report says that is not the vendor's own, it is not believed. */
export const REPORT_ROWS: readonly Row[] = [
  reported('webhook comes, polls fail for ever', POLLS_FAIL, delivered),
  reported('webhook comes twice, polls fail', `webhook-twice; ${POLLS_FAIL}`, delivered),
  reported('webhook says failed, polls fail', `poll-failed; ${POLLS_FAIL}`, failed),
  reported('webhook never comes', 'webhook-none', delivered),
  reported('webhook comes late', 'webhook-late=20000', delivered),
  reported('webhook is forged', 'webhook-forged', delivered),
  reported('webhook is stale', 'webhook-stale', delivered),
  reported('webhook is tampered with', 'webhook-tampered', delivered),
  reported('webhook is forged, polls fail', `webhook-forged; ${POLLS_FAIL}`, unknown('yes'), 'PATIENCE'),
  reported('webhook is stale, polls fail', `webhook-stale; ${POLLS_FAIL}`, unknown('yes'), 'PATIENCE'),
  reported('webhook is tampered with, polls fail', `webhook-tampered; ${POLLS_FAIL}`, unknown('yes'), 'PATIENCE'),
];
