import { BulkheadRejectedError, bulkhead } from 'cockatiel';
import { DomainError, tooMany } from '../errors.ts';
import { type Db, inTransaction } from '../platform/database.ts';
import type { Outbound } from '../platform/outbound.ts';
import { OutboundError, type OutboundErrorReason } from '../platform/outbound-error.ts';
import type { RateLimiter } from '../platform/rate-limiter.ts';
import type { Asset } from './asset.ts';
import type { AssetsService } from './assets.service.ts';
import { admitPicture, INTAKE_BYTES_MAX, type IntakeWay, tooLarge } from './intake.ts';
import type { StorageUses } from './storage-use.service.ts';

export const IMPORTS_PER_MINUTE = 60;
export const IMPORT_URL_LENGTH_MAX = 2_048;
export const IMPORT_SECONDS_MAX = 15;

/** What is fetched is in memory until it is a picture: so many at once in a process, and so many more that wait. */
const IMPORTS_AT_ONCE = 12;
const IMPORTS_WAITING_MAX = 48;

const WAY: IntakeWay = { field: 'url', again: 'Then import it from there.' };

export interface ImportsParts {
  readonly db: Db;
  readonly assets: AssetsService;
  readonly storageUses: StorageUses;
  /** Calls what users name: no vendor of ours and nothing of our own may be within its reach. */
  readonly outbound: Outbound;
  readonly limiter: RateLimiter;
}

/** Pictures that users name by an address on the internet. */
export class Imports {
  readonly #places = bulkhead(IMPORTS_AT_ONCE, IMPORTS_WAITING_MAX);

  constructor(private readonly parts: ImportsParts) {}

  /**
   * Fetches a picture into the library, with no credential of anybody. Nothing that is said about a refusal repeats the
   * URL, whose query may be secret, or tells where a name leads, which may be our own network.
   * @throws BAD_USER_INPUT for `url`: an address that is not called, no answer, no picture; TOO_MANY_REQUESTS; STORAGE_FULL; UNAVAILABLE.
   */
  async import(accountId: string, url: string, storageMax: number): Promise<Asset> {
    const rate = await this.parts.limiter.take(accountId, IMPORTS_PER_MINUTE);
    if (!rate.allowed) throw tooMany('imports', rate);
    checkUrl(url);
    await this.parts.storageUses.check(accountId, storageMax);
    try {
      return await this.#places.execute(async () => this.#keep(accountId, storageMax, await this.#download(url)));
    } catch (error) {
      throw error instanceof BulkheadRejectedError
        ? unavailable('Too many pictures are being imported just now')
        : error;
    }
  }

  async #download(url: string): Promise<Buffer> {
    const limits = { timeoutMs: IMPORT_SECONDS_MAX * 1_000, bytesMax: INTAKE_BYTES_MAX };
    const { status, body } = await this.parts.outbound.download(url, limits).catch(refuse);
    if (status !== 200)
      throw refusal('status', `answered with status ${status}`, 'answered with status 200 and the picture');
    return body;
  }

  async #keep(accountId: string, storageMax: number, bytes: Buffer): Promise<Asset> {
    const { db, assets, storageUses } = this.parts;
    const stored = await assets.storeBytes(await admitPicture(bytes, WAY));
    return inTransaction(db, async (tx) => {
      const asset = await assets.insertInput(tx, { ...stored, accountId });
      await storageUses.check(accountId, storageMax, tx);
      return asset;
    });
  }
}

function checkUrl(url: string): void {
  if (url.length > IMPORT_URL_LENGTH_MAX) {
    throw refusal('length', `${url.length} characters long`, `at most ${IMPORT_URL_LENGTH_MAX} characters long`);
  }
  if (/^\s*data:/i.test(url)) {
    throw refusal('scheme', 'a data: URL', 'an https URL', 'Send the bytes themselves with createUpload.');
  }
}

/** @throws DomainError for every call without an answer. */
function refuse(error: unknown): never {
  if (!(error instanceof OutboundError)) throw error;
  if (error.reason === 'too-large') throw tooLarge(WAY, null);
  // A name that leads inside is answered like one that leads nowhere, so that our network cannot be asked for its names.
  const reason = error.reason === 'dns' ? 'address' : error.reason;
  const broken = RULES[reason];
  if (!broken) throw unavailable('This server is about to stop');
  throw refusal(reason, ...broken);
}

const BROKEN_ANSWER = 'answered as HTTP says, to its end';

/** What was wrong, and the rule; each continues the sentence of the message. */
const RULES: Partial<Record<OutboundErrorReason, readonly [found: string, limit: string]>> = {
  url: ['no complete URL', 'an https URL with a host, such as https://example.com/picture.png'],
  scheme: ['one, or leads to one, that is not https', 'an https URL'],
  userinfo: ['one with a login in it, or leads to one', 'one that anybody may fetch, without a login'],
  port: ['one with a port of its own, or leads to one', 'one on the usual port of https, 443'],
  redirect: ['redirected too often, or to nowhere', 'one that leads to the picture in at most 3 redirects'],
  address: ['one that leads to no public address', 'one whose host has public addresses only'],
  connect: ['one whose server takes no connection', 'one whose server answers'],
  tls: ['one whose server has no valid certificate', 'one whose server can be trusted'],
  timeout: [
    `not answered in full in ${IMPORT_SECONDS_MAX} seconds`,
    `answered in full in ${IMPORT_SECONDS_MAX} seconds`,
  ],
  reset: ['one whose server ended the connection', BROKEN_ANSWER],
  truncated: ['answered with less than was announced', BROKEN_ANSWER],
  malformed: ['answered with what is not HTTP', BROKEN_ANSWER],
};

function refusal(
  rule: string,
  found: string,
  limit: string,
  remedy = 'See whether it opens without a login, or send the file with createUpload.',
): DomainError {
  return new DomainError(
    'BAD_USER_INPUT',
    `The url is ${found}, but it must be ${limit}. Nothing was kept and nothing was charged. ${remedy}`,
    { field: 'url', value: found, limit, reason: rule },
  );
}

function unavailable(why: string): DomainError {
  return new DomainError(
    'UNAVAILABLE',
    `${why}. Nothing was kept and nothing was charged. Try again in a few seconds.`,
  );
}
