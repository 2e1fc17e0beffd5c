import type { Refuse } from './damage.ts';
import { type Answer, bytesAnswer, type Call, type Route } from './exchange.ts';
import type { Fault } from './faults.ts';
import { type Job, strike } from './jobs.ts';
import { type Desk, drawOrder } from './orders.ts';
import { CONTENT_TYPES, type Flaw } from './pictures.ts';

/** The vendors that give out addresses for their pictures. */
const STORES = ['wavespeed', 'huggingface'] as const;

/** How a vendor that gives out addresses withholds a picture: WaveSpeed flags it and sends it all the same. */
const WITHHELD_AS: Partial<Record<Job['vendor'], Flaw>> = { huggingface: 'black' };

/** Where nothing of the public may be: what clouds tell their machines, and the usual private networks. */
const PRIVATE_HOSTS: Readonly<Record<number, string>> = { 10: '10.0.0.1', 169: '169.254.169.254', 192: '192.168.0.1' };

const FILE = '([a-z]+)/([0-9a-f-]+)\\.(?:png|jpeg|webp)$';

const pathOf = (job: Job) => `${job.vendor}/${job.id}.${job.order.format}`;

/** This sandbox by another name, which is another host to whoever compares names. */
function elsewhere(origin: string): string {
  const url = new URL(origin);
  url.hostname = url.hostname === 'localhost' ? '127.0.0.1' : 'localhost';
  return url.origin;
}

const asked = (job: Job, name: Fault['name']) => job.faults.find((fault) => fault.name === name);

/** Where the picture of a job is in the end, redirects aside. */
function finalUrl(desk: Desk, job: Job): string {
  const hidden = asked(job, 'result-private');
  if (hidden) return `http://${PRIVATE_HOSTS[hidden.value ?? 0]}/outputs/${pathOf(job)}`;
  const moved = asked(job, 'result-elsewhere') ?? asked(job, 'result-redirected');
  return `${moved ? elsewhere(desk.origin()) : desk.origin()}/_sandbox/outputs/${pathOf(job)}`;
}

/** The address that a vendor gives out for the picture of a job. */
export function outputUrl(desk: Desk, job: Job): string {
  return asked(job, 'result-redirected') ? `${desk.origin()}/_sandbox/moved/${pathOf(job)}` : finalUrl(desk, job);
}

function storageError(status: number, code: string): Answer {
  const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code></Error>`;
  return { status, headers: { 'content-type': 'application/xml' }, body: Buffer.from(xml) };
}

const refuse: Refuse = (status, retryAfter) => {
  const answer = storageError(status, `Status${status}`);
  return retryAfter === null ? answer : { ...answer, headers: { ...answer.headers, 'retry-after': retryAfter } };
};

/** The finished job whose picture lies at an address, if there is one. */
function drawnJob(desk: Desk, vendorName: string, id: string): Job | null {
  const vendor = STORES.find((each) => each === vendorName);
  const job = vendor && desk.jobs.find(vendor, id);
  return job?.phase === 'done' && job.fate === 'drawn' ? job : null;
}

function pictureFor(job: Job): Promise<Buffer> {
  return drawOrder(job.order, job.faults, WITHHELD_AS[job.vendor] ?? null);
}

function download(desk: Desk, call: Call, vendorName: string, id: string): Promise<Answer> | Answer {
  // An output's address is all the permission that is needed. Object stores refuse a second one, and a gateway that
  // sends its key to a host that the vendor names has leaked it.
  if (call.headers.authorization !== undefined) return storageError(400, 'OnlyOneAuthMechanismAllowed');
  const job = drawnJob(desk, vendorName, id);
  if (!job || asked(job, 'result-gone')) return storageError(404, 'NoSuchKey');
  return strike(desk, job, 'download', refuse, async () => {
    return bytesAnswer(CONTENT_TYPES[job.order.format], await pictureFor(job), {
      'cache-control': 'public, max-age=604800',
    });
  });
}

/** What lies at an address that this sandbox gave out for an output, or null for every other address. */
export async function ownOutput(desk: Desk, address: string): Promise<Buffer | null> {
  const url = URL.canParse(address) ? new URL(address) : null;
  if (url?.origin !== desk.origin()) return null;
  const [, vendor = '', id = ''] = new RegExp(`^/_sandbox/outputs/${FILE}`).exec(url.pathname) ?? [];
  const job = drawnJob(desk, vendor, id);
  return job && !asked(job, 'result-gone') ? pictureFor(job) : null;
}

function redirect(desk: Desk, vendorName: string, id: string): Answer {
  const job = drawnJob(desk, vendorName, id);
  if (!job) return storageError(404, 'NoSuchKey');
  return { status: 302, headers: { location: finalUrl(desk, job) }, body: Buffer.alloc(0) };
}

/** The stores from which finished pictures of asynchronous vendors are downloaded. */
export function outputRoutes(desk: Desk): readonly Route[] {
  return [
    {
      method: 'GET',
      path: new RegExp(`^/_sandbox/outputs/${FILE}`),
      handle: (call, [vendor = '', id = '']) => download(desk, call, vendor, id),
    },
    {
      method: 'GET',
      path: new RegExp(`^/_sandbox/moved/${FILE}`),
      handle: (_, [vendor = '', id = '']) => redirect(desk, vendor, id),
    },
  ];
}
