import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import type { ErrorCode } from '../errors.ts';
import type { Log } from '../platform/log.ts';
import type { Asset, ContentType } from './asset.ts';
import type { AssetsService } from './assets.service.ts';
import { isNotModified, rangeToSend, type Validators } from './conditional.ts';
import { signatureIn } from './signed-path.ts';

type Library = Pick<AssetsService, 'bySignature' | 'isIntact' | 'open'>;

const EXTENSIONS: Record<ContentType, string> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
  'image/avif': 'avif',
};

/** Pictures come from vendors and customers: whatever a browser makes of one, it runs nothing and reads nothing. */
const SAFETY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'content-security-policy': "sandbox; default-src 'none'",
  'cross-origin-resource-policy': 'cross-origin',
} as const;

/** `GET` and `HEAD /assets/:id`, for whoever holds an address that {@link AssetsService.signedUrl} gave out. */
export function assetDelivery(library: Library, log: Log): FastifyPluginAsync {
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

    app.route({
      method: app.supportedMethods.filter((method) => method !== 'GET' && method !== 'HEAD'),
      url: '/assets/:id',
      // Answered before a body would be read, whatever its kind or size.
      onRequest: async (_request, reply) => {
        reply.header('allow', 'GET, HEAD');
        return refuse(reply, 405, 'METHOD_NOT_ALLOWED', 'A picture can only be read: use GET or HEAD.');
      },
      handler: () => undefined,
    });
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
  if (found === null) {
    return refuse(
      reply,
      403,
      'FORBIDDEN',
      'This address is not valid, or no longer. Ask the API for the url of the asset again and use the fresh one.',
    );
  }
  const { asset, secondsLeft } = found;
  if (!(await library.isIntact(asset))) {
    log.error({ assetId: asset.id }, 'the bytes of an asset are missing or incomplete');
    return refuse(
      reply,
      404,
      'NOT_FOUND',
      'The bytes of this picture are missing from storage. The operator has been told.',
    );
  }
  reply.headers(pictureHeaders(asset, secondsLeft));
  const validators = validatorsOf(asset);
  if (isNotModified(request.headers, validators)) return reply.code(304).send();
  if (request.method === 'HEAD') return reply.header('content-length', asset.byteCount).send();
  return sendBytes(library, asset, rangeToSend(request.headers, validators, asset.byteCount), reply);
}

async function sendBytes(
  library: Library,
  asset: Asset,
  range: ReturnType<typeof rangeToSend>,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const size = asset.byteCount;
  if (range === 'UNSATISFIABLE') {
    reply.header('content-range', `bytes */${size}`);
    return refuse(reply, 416, 'BAD_USER_INPUT', `Range lies behind the end: the picture has ${size} bytes.`);
  }
  const { start, end } = range ?? { start: 0, end: size - 1 };
  const stream = await library.open(asset, { start, end });
  if (range) reply.code(206).header('content-range', `bytes ${start}-${end}/${size}`);
  return reply.header('content-length', end - start + 1).send(stream);
}

function validatorsOf(asset: Asset): Validators {
  return {
    etag: `"${asset.sha256}"`,
    lastModified: new Date(Math.floor(asset.createdAt.getTime() / 1000) * 1000),
  };
}

function pictureHeaders(asset: Asset, secondsLeft: number) {
  const { etag, lastModified } = validatorsOf(asset);
  return {
    'content-type': asset.contentType,
    'content-disposition': `inline; filename="${asset.id}.${EXTENSIONS[asset.contentType]}"`,
    'accept-ranges': 'bytes',
    'cache-control': `private, max-age=${secondsLeft}, immutable`,
    etag,
    'last-modified': lastModified.toUTCString(),
  };
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
