import { randomBytes } from 'node:crypto';
import { isFlagged } from './damage.ts';
import { type Answer, bytesAnswer, type Call, jsonAnswer } from './exchange.ts';
import type { Fault } from './faults.ts';
import { type Job, type Phase, strike } from './jobs.ts';
import type { Order } from './order.ts';
import { type Desk, drawOrder, type Sale } from './orders.ts';
import { CONTENT_TYPES } from './pictures.ts';
import { acceptsJson, moderated, newId, ownerOf, refusal, refuse, type StabilityOrder } from './stability.forms.ts';

/** Draws a picture and sends it as it was asked for: as bytes with what is said of it in headers, or all in JSON. */
export async function delivered(
  order: Order,
  faults: readonly Fault[],
  asJson: boolean,
  requestId: string,
): Promise<Answer> {
  const picture = await drawOrder(order, faults, 'blurred');
  const finishReason = isFlagged(faults) ? 'CONTENT_FILTERED' : 'SUCCESS';
  const contentType = CONTENT_TYPES[order.format];
  const { seed } = order;
  if (!asJson) {
    return bytesAnswer(contentType, picture, {
      'x-request-id': requestId,
      'finish-reason': finishReason,
      ...(seed !== null && { seed: String(seed) }),
    });
  }
  return jsonAnswer(
    200,
    { image: picture.toString('base64'), finish_reason: finishReason, ...(seed !== null && { seed }) },
    { 'content-type': `application/json; type=${contentType}`, 'x-request-id': requestId },
  );
}

/** Takes an order that is served later; the answer is where to ask for it. */
export function promised(desk: Desk, { order, call, line, faults }: Sale<StabilityOrder>): Answer {
  const id = randomBytes(32).toString('hex');
  desk.jobs.open({ id, vendor: 'stability', owner: ownerOf(call), order, line, faults });
  return jsonAnswer(200, { id });
}

const unfinished = (job: Job, phase: Phase): Answer | null => {
  if (job.mask === 'unheard-of') return jsonAnswer(202, { id: job.id, status: 'paused' });
  return phase === 'done' ? null : jsonAnswer(202, { id: job.id, status: 'in-progress' });
};

function ended(job: Job, asJson: boolean): Promise<Answer> | Answer {
  if (job.fate === 'moderated') return moderated();
  // Not an error of the 500s, after which the client could not know whether asking again would help.
  if (job.fate === 'failed')
    return refusal(400, 'bad_request', ['id: the generation failed, and you were not charged.']);
  return delivered(job.order, job.faults, asJson, newId());
}

/** How a result stands, and the result itself when it is there: in progress, drawn, or unknown to this key. */
export async function result(desk: Desk, call: Call, id: string, model?: string): Promise<Answer> {
  const owner = ownerOf(call);
  const asJson = acceptsJson(call, '*/*');
  const missing = () =>
    refusal(404, 'generation_not_found', ['id: the generation either does not exist or has expired.']);
  const job = desk.jobs.find('stability', id);
  if (!job || job.owner !== owner || (model !== undefined && job.order.model !== model)) return missing();
  return strike(desk, job, 'poll', refuse, async () => {
    const phase = desk.jobs.look(job);
    if (job.mask === 'gone') return missing();
    // The look that finds the job done is the fetching of its result as well, and can suffer what befalls either.
    return unfinished(job, phase) ?? strike(desk, job, 'result', refuse, () => ended(job, asJson));
  });
}
