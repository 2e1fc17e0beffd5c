import type { Readable } from 'node:stream';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorCode } from '../errors.ts';
import type { Log } from '../platform/log.ts';
import { type Asset, type ContentType, EXTENSIONS } from './asset.ts';
import { type AssetsService, DamagedAsset } from './assets.service.ts';
import { isNotModified, rangeToSend, type Validators } from './conditional.ts';
import { PictureError } from './pictures.ts';
import type { Rendition } from './rendition.ts';
import { type Renditions, RenditionsBusy } from './renditions.service.ts';
import { signatureIn } from './signed-path.ts';
import type { ByteRange } from './storage.ts';

type Library = Pick<AssetsService, 'bySignature' | 'isIntact' | 'open'>;
type Derived = Pick<Renditions, 'bySignature' | 'open'>;

/** What is sent, be it an original or derived from one. */
interface Picture {
  /** What a browser saves it as, without its ending. */
  readonly name: string;
  readonly contentType: ContentType;
  readonly byteCount: number;
  readonly sha256: string;
  readonly madeAt: Date;
  open(range: ByteRange): Promise<Readable>;
}

/** Pictures come from vendors and customers: whatever a browser makes of one, it runs nothing and reads nothing. */
const SAFETY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "sandbox; default-src 'none'",
  'cross-origin-resource-policy': 'cross-origin',
} as const;

/**
 * `GET` and `HEAD` of `/assets/:id` and, for pictures derived from it, `/assets/:id/:spec`, for whoever holds an address that
 * {@link Renditions.signedUrl} gave out.
 */
export function assetDelivery(library: Library, renditions: Derived, log: Log): FastifyPluginAsync {
  return async (app: FastifyInstance) => {
    app.addHook('onRequest', async (_request, reply) => {
      reply.headers(SAFETY_HEADERS);
    });

    app.setErrorHandler((error, request, reply) => {
      log.error({ err: error, path: request.routeOptions.url }, 'a picture could not be delivered');
      return refuse(reply, 503, 'UNAVAILABLE', 'The picture cannot be read just now. Try again in a few seconds.');
    });

    app.route<{ Params: { id: string } }>({
      method: ['GET', 'HEAD'],
      url: '/assets/:id',
      handler: (request, reply) => deliver(library, log, request, reply),
    });

    app.route<{ Params: { id: string; spec: string } }>({
      method: ['GET', 'HEAD'],
      url: '/assets/:id/:spec',
      handler: (request, reply) => deliverRendition(renditions, log, request, reply),
    });

    for (const url of ['/assets/:id', '/assets/:id/:spec']) {
      app.route({
        method: app.supportedMethods.filter((method) => method !== 'GET' && method !== 'HEAD'),
        url,
        // Answered before a body would be read, whatever its kind or size.
        onRequest: async (_request, reply) => {
          reply.header('allow', 'GET, HEAD');
          return refuse(reply, 405, 'METHOD_NOT_ALLOWED', 'A picture can only be read: use GET or HEAD.');
        },
        handler: () => undefined,
      });
    }
  };
}

async function deliver(
  library: Library,
  log: Log,
  request: FastifyRequest<{ Params: { id: string } }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const signature = signatureIn(request.query);
  const found = signature && (await library.bySignature(request.params.id, signature));
  if (found === null) return refuseAddress(reply);
  const { asset, secondsLeft } = found;
  if (!(await library.isIntact(asset))) return refuseDamaged(reply, log, asset.id);
  return send({ ...asset, ...pictureOf(library, asset) }, secondsLeft, request, reply);
}

function pictureOf(library: Library, asset: Asset) {
  return { name: asset.id, madeAt: asset.createdAt, open: (range: ByteRange) => library.open(asset, range) };
}

async function deliverRendition(
  renditions: Derived,
  log: Log,
  request: FastifyRequest<{ Params: { id: string; spec: string } }>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { id, spec } = request.params;
  const signature = signatureIn(request.query);
  try {
    const found = signature && (await renditions.bySignature(id, spec, signature));
    if (found === null) return refuseAddress(reply);
    const { rendition, secondsLeft } = found;
    return await send({ ...rendition, ...derivedPictureOf(renditions, rendition) }, secondsLeft, request, reply);
  } catch (error) {
    if (error instanceof DamagedAsset) return refuseDamaged(reply, log, id);
    if (error instanceof PictureError) return refuseUnreadable(reply, log, id, error);
    if (!(error instanceof RenditionsBusy)) throw error;
    reply.header('retry-after', error.retryAfterSeconds);
    return refuse(
      reply,
      503,
      'UNAVAILABLE',
      `Too many pictures are being drawn just now. Try again in ${error.retryAfterSeconds} seconds; the address stays the same.`,
    );
  }
}

function derivedPictureOf(renditions: Derived, rendition: Rendition) {
  const { assetId, width, height } = rendition;
  return { name: `${assetId}-${width}x${height}`, open: (range: ByteRange) => renditions.open(rendition, range) };
}

function send(
  picture: Picture,
  secondsLeft: number,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply | Promise<FastifyReply> {
  reply.headers(pictureHeaders(picture, secondsLeft));
  const validators = validatorsOf(picture);
  if (isNotModified(request.headers, validators)) return reply.code(304).send();
  if (request.method === 'HEAD') return reply.header('content-length', picture.byteCount).send();
  return sendBytes(picture, rangeToSend(request.headers, validators, picture.byteCount), reply);
}

async function sendBytes(
  picture: Picture,
  range: ReturnType<typeof rangeToSend>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const size = picture.byteCount;
  if (range === 'UNSATISFIABLE') {
    reply.header('content-range', `bytes */${size}`);
    return refuse(reply, 416, 'BAD_USER_INPUT', `Range lies behind the end: the picture has ${size} bytes.`);
  }
  const { start, end } = range ?? { start: 0, end: size - 1 };
  const stream = await picture.open({ start, end });
  if (range) reply.code(206).header('content-range', `bytes ${start}-${end}/${size}`);
  return reply.header('content-length', end - start + 1).send(stream);
}

function validatorsOf({ sha256, madeAt }: Picture): Validators {
  return { etag: `"${sha256}"`, lastModified: new Date(Math.floor(madeAt.getTime() / 1000) * 1000) };
}

function pictureHeaders(picture: Picture, secondsLeft: number) {
  const { etag, lastModified } = validatorsOf(picture);
  return {
    'content-type': picture.contentType,
    'content-disposition': `inline; filename="${picture.name}.${EXTENSIONS[picture.contentType]}"`,
    'accept-ranges': 'bytes',
    'cache-control': `private, max-age=${secondsLeft}, immutable`,
    etag,
    'last-modified': lastModified.toUTCString(),
  };
}

function refuseAddress(reply: FastifyReply): FastifyReply {
  return refuse(
    reply,
    403,
    'FORBIDDEN',
    'This address is not valid, or no longer. Ask the API for the url of the asset again and use the fresh one.',
  );
}

function refuseDamaged(reply: FastifyReply, log: Log, assetId: string): FastifyReply {
  log.error({ assetId }, 'the bytes of an asset are missing or incomplete');
  return refuse(
    reply,
    404,
    'NOT_FOUND',
    'The bytes of this picture are missing from storage. The operator has been told.',
  );
}

function refuseUnreadable(reply: FastifyReply, log: Log, assetId: string, error: PictureError): FastifyReply {
  log.error({ assetId, err: error }, 'an asset cannot be decoded');
  return refuse(
    reply,
    404,
    'NOT_FOUND',
    'This picture cannot be decoded, so there is no other size or format of it. The operator has been told.',
  );
}

const PICTURE_HEADERS = ['content-disposition', 'accept-ranges', 'etag', 'last-modified'] as const;

/** A refusal is never cached, and carries nothing of the picture that it refuses. */
function refuse(
  reply: FastifyReply,
  status: number,
  code: ErrorCode | 'METHOD_NOT_ALLOWED',
  message: string,
): FastifyReply {
  for (const name of PICTURE_HEADERS) reply.removeHeader(name);
  return reply
    .code(status)
    .header('cache-control', 'no-store')
    .type('application/json; charset=utf-8')
    .send({ error: { code, message } });
}
