import type { Refuse } from './damage.ts';
import { type Answer, bytesAnswer, type Call, type Route } from './exchange.ts';
import { VENDORS } from './faults.ts';
import { type Job, strike } from './jobs.ts';
import { type Desk, drawOrder } from './orders.ts';
import { CONTENT_TYPES, type Flaw } from './pictures.ts';

/** How a vendor that gives out addresses withholds a picture: WaveSpeed flags it and sends it all the same. */
const WITHHELD_AS: Partial<Record<Job['vendor'], Flaw>> = { huggingface: 'black' };

/** Where the picture of a job can be downloaded. */
export function outputUrl(desk: Desk, job: Job): string {
  return `${desk.origin()}/_sandbox/outputs/${job.vendor}/${job.id}.${job.order.format}`;
}

function storageError(status: number, code: string): Answer {
  const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code></Error>`;
  return { status, headers: { 'content-type': 'application/xml' }, body: Buffer.from(xml) };
}

const refuse: Refuse = (status, retryAfter) => {
  const answer = storageError(status, `Status${status}`);
  return retryAfter === null ? answer : { ...answer, headers: { ...answer.headers, 'retry-after': retryAfter } };
};

function download(desk: Desk, call: Call, vendorName: string, id: string): Promise<Answer> | Answer {
  // An output's address is all the permission that is needed. Object stores refuse a second one, and a gateway that
  // sends its key to a host that the vendor names has leaked it.
  if (call.headers.authorization !== undefined) return storageError(400, 'OnlyOneAuthMechanismAllowed');
  const vendor = VENDORS.find((each) => each === vendorName);
  const job = vendor && desk.jobs.find(vendor, id);
  if (job?.phase !== 'done' || job.fate !== 'drawn') return storageError(404, 'NoSuchKey');
  return strike(desk.faults, job, 'download', refuse, async () => {
    const picture = await drawOrder(job.order, job.faults, WITHHELD_AS[job.vendor] ?? null);
    return bytesAnswer(CONTENT_TYPES[job.order.format], picture, { 'cache-control': 'public, max-age=604800' });
  });
}

/** The stores from which finished pictures of asynchronous vendors are downloaded. Drawn anew at each download. */
export function outputRoutes(desk: Desk): readonly Route[] {
  return [
    {
      method: 'GET',
      path: /^\/_sandbox\/outputs\/([a-z]+)\/([0-9a-f-]+)\.(?:png|jpeg|webp)$/,
      handle: (call, [vendor = '', id = '']) => download(desk, call, vendor, id),
    },
  ];
}
