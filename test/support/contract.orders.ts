import {
  type Adapter,
  broken,
  type Cell,
  cut,
  delivered,
  type End,
  moderated,
  na,
  type Row,
  rejected,
  row,
  unknown,
} from './contract.ts';

const drawsFirst = na('nothing is known of it looking at prompts');
const saysNothing = na('has no word for a picture that it finds unfit');
const neverThinks = na('does not show its thoughts');
const onlyGoogle = na('its 429 has one form, and says nothing of a day');
const alwaysLoaded = na('never says that a model is still being loaded');

const notFound = rejected('NOT_FOUND', 'MODEL');
/** Google's paths are fixed, so what is not found can only be a model that has been shut down. */
const shutDown = rejected('MODEL_RETIRED', 'MODEL');
const limited = (seconds: number | null) => rejected('RATE_LIMITED', 'HOST', seconds);
/** Google counts by project and model. */
const limitedModel = (seconds: number | null) => rejected('RATE_LIMITED', 'MODEL', seconds);
const google = (end: End) => ({ gemini: end, 'gemini/vertex': end }) satisfies Partial<Record<Adapter, Cell>>;

/** What a vendor makes of an order that it has read. */
export const ORDER_ROWS: readonly Row[] = [
  row('a picture', '', { all: delivered }),
  row('refused by moderation before drawing', 'moderated', {
    answering: moderated(false, 'no'),
    queued: moderated(false, 'refunded'),
    'hf-inference': drawsFirst,
  }),
  // Imagen charges for what it hands over; whether that is so for a picture it has drawn is for its bill to say.
  row('withheld after drawing', 'withheld', {
    all: moderated(true, 'yes'),
    'gemini/vertex': moderated(false, 'yes'),
  }),
  row('flagged, but sent whole', 'flagged', { all: moderated(true, 'yes'), 'hf-inference': saysNothing }),
  row('black all over, unsaid', 'black', { all: moderated(true, 'yes') }),
  // No adapter can tell it from a picture of fog.
  row('blurred, unsaid', 'blurred', { all: delivered }),
  row('prose instead of a picture', 'prose', { all: broken }),
  row('drafts before the picture', 'drafts', { all: neverThinks, gemini: delivered }),
  row(
    'cancelled while drawing',
    { answering: 'never', queued: 'poll-forever', wavespeed: 'poll-forever; webhook-none' },
    {
      answering: cut('unanswered'),
      // It has no way to stop a job, so there the job goes on to its end.
      wavespeed: cut('completed'),
      'fal-ai': cut('cancelled'),
      // Nor does this one, and nobody looks at the job any more to see it end.
      collected: cut('accepted'),
    },
    'CUSTOMER',
  ),
];

/** What a vendor answers instead of drawing. */
export const REFUSAL_ROWS: readonly Row[] = [
  row('400', 'status=400', { all: rejected('BAD_REQUEST', 'REQUEST') }),
  row('401', 'status=401', { all: rejected('AUTHENTICATION', 'HOST') }),
  row('402', 'status=402', { all: rejected('OUT_OF_FUNDS', 'HOST') }),
  row('403', 'status=403', { all: rejected('FORBIDDEN', 'MODEL') }),
  row('no money, in its own words', 'no-funds', {
    all: rejected('OUT_OF_FUNDS', 'HOST'),
    ...google(rejected('OUT_OF_FUNDS', 'MODEL')),
  }),
  row('404', 'status=404', { all: notFound, ...google(shutDown) }),
  row('410', 'status=410', { all: rejected('MODEL_RETIRED', 'MODEL') }),
  row('413', 'status=413', { all: rejected('TOO_LARGE', 'REQUEST') }),
  row('422', 'status=422', { all: rejected('BAD_REQUEST', 'REQUEST') }),
  // Stability shuts out whoever exceeds its limit for a minute, and says so in its reference only.
  row('429', 'status=429', { all: limited(null), stability: limited(60), ...google(limitedModel(null)) }),
  row('429, come back in 7 s', 'status=429 retry-after=7', { all: limited(7), ...google(limitedModel(7)) }),
  row('429, come back in 30 years', 'status=429 retry-after=999999999', {
    all: limited(3_600),
    ...google(limitedModel(3_600)),
  }),
  row('429, the quota of the day', 'daily-quota', { all: onlyGoogle, ...google(limitedModel(3_600)) }),
  row('503, loading the model', 'loading=20', {
    all: alwaysLoaded,
    // The same model at fal is asked then, and fal's 503 proves nothing.
    'hf-inference': { ...rejected('NOT_READY', 'MODEL', 20), inGateway: { failure: 'OUTCOME_UNKNOWN' } },
  }),
  row('500', 'status=500', { all: unknown('unknown') }),
  row('502', 'status=502', { all: unknown('unknown') }),
  // The 503 of HuggingFace's own machines is the row about loading; this one is its proxy's.
  row('503', { all: 'status=503', 'hf-inference': 'html=503' }, { all: unknown('unknown') }),
  row('504', 'status=504', { all: unknown('unknown') }),
  row('502 with a page of HTML', 'html=502', { all: unknown('unknown') }),
];
