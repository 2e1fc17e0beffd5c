import type { AddressInfo } from 'node:net';
import { type FastifyInstance, fastify } from 'fastify';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, vi } from 'vitest';
import type { Asset, FinishedPicture } from '../../src/assets/asset.ts';
import { assetDelivery } from '../../src/assets/delivery.ts';
import type { RenditionLimits } from '../../src/assets/renditions.service.ts';
import type { Database } from '../../src/platform/database.ts';
import { newId } from '../../src/platform/ids.ts';
import { freshDatabase } from '../support/databases.ts';
import { TestLibrary, tinyPicture } from './library.ts';

export const CONTENT = '0123456789abcdefghij';

export const SAFETY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "sandbox; default-src 'none'",
  'cross-origin-resource-policy': 'cross-origin',
};

/** A server on a real port that delivers one small picture, {@link CONTENT}. */
export class DeliveryServer {
  readonly logged: { readonly level: number; readonly msg: string; readonly assetId?: string }[] = [];

  private constructor(
    readonly app: FastifyInstance,
    readonly library: TestLibrary,
    readonly asset: Asset,
  ) {}

  static async start(database: Database, limits?: RenditionLimits): Promise<DeliveryServer> {
    const library = await TestLibrary.on(database.db);
    const renditions = limits ? library.newRenditions(limits) : library.renditions;
    const asset = await library.keep(newId('account'), {}, tinyPicture(CONTENT));
    const server = new DeliveryServer(fastify({ forceCloseConnections: true }), library, asset);
    const log = pino({ base: null }, { write: (line: string) => void server.logged.push(JSON.parse(line)) });
    await server.app.register(assetDelivery(library.service, renditions, log));
    await server.app.listen({ port: 0, host: '127.0.0.1' });
    library.publicUrl = `http://127.0.0.1:${server.port}`;
    return server;
  }

  get port(): number {
    return (this.app.server.address() as AddressInfo).port;
  }

  /** Keeps another picture, in an account of its own. */
  keep(picture: FinishedPicture = tinyPicture()): Promise<Asset> {
    return this.library.keep(newId('account'), {}, picture);
  }

  urlOf(asset: Asset = this.asset): string {
    return this.library.service.signedUrl(asset);
  }

  get(headers: Record<string, string> = {}, method = 'GET'): Promise<Response> {
    return fetch(this.urlOf(), { method, headers });
  }

  async close(): Promise<void> {
    await this.app.close();
    await this.library.close();
  }
}

/** What the server said, without what the transport adds. */
export function headersOf(response: Response): Record<string, string> {
  const headers = Object.fromEntries(response.headers);
  for (const name of ['date', 'connection', 'keep-alive']) delete headers[name];
  return headers;
}

/** A fresh server for each test of a file, on one database. */
export function deliveryServer(limits?: RenditionLimits): () => DeliveryServer {
  let database: Database;
  let server: DeliveryServer;
  beforeAll(async () => {
    database = await freshDatabase('pglite');
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    server = await DeliveryServer.start(database, limits);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await server.close();
  });
  return () => server;
}
