import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify';
import { DomainError } from '../errors.ts';
import { OWN_BODY_DEADLINE } from '../platform/body-deadline.ts';
import type { Log } from '../platform/log.ts';
import type { Asset } from './asset.ts';
import { type IntakeReason, IntakeRefusal } from './intake.ts';
import { signatureIn } from './signed-path.ts';
import { UploadProblem, type UploadProblemReason } from './upload.ts';
import type { Uploads } from './uploads.service.ts';

/**
 * How long a body that nobody wants is read on after its refusal. A sender that is cut off while it is sending may never
 * see what it was told.
 */
const LINGER_MS = 1_000;

/** The address itself is the permission, so pages of every origin may use one that they hold. */
const CROSS_ORIGIN = { 'access-control-allow-origin': '*' } as const;
const PREFLIGHT = {
  'access-control-allow-methods': 'PUT',
  'access-control-allow-headers': '*',
  'access-control-max-age': '86400',
} as const;

const STATUS_OF_PROBLEM: Record<UploadProblemReason, number> = {
  FORBIDDEN: 403,
  EXPIRED: 410,
  USED: 409,
  BUSY: 409,
  TOO_SLOW: 408,
  BROKEN_OFF: 400,
  STOPPING: 503,
};

const STATUS_OF_REFUSAL: Record<IntakeReason, number> = {
  EMPTY: 422,
  UNSUPPORTED: 415,
  ANIMATED: 415,
  UNREADABLE: 422,
  TOO_SMALL: 422,
  TOO_MANY_PIXELS: 422,
  TOO_LARGE: 413,
};

/** `PUT /uploads/:id`, for whoever holds an address that {@link Uploads.signedUrl} gave out. */
export function uploadReception(uploads: Pick<Uploads, 'receive'>, log: Log): FastifyPluginAsync {
  return async (app: FastifyInstance) => {
    const stopping = new AbortController();
    app.addHook('preClose', async () => stopping.abort());
    app.addHook('onRequest', async (request, reply) => {
      reply.headers({ ...CROSS_ORIGIN, 'cache-control': 'no-store' });
      // What it is called is never believed, so it is not even looked at whether that can be read.
      delete request.raw.headers['content-type'];
    });
    app.addHook('onResponse', async (request) => letGo(request));
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _body, done) => done(null));
    app.setErrorHandler((error, request, reply) => {
      if (error instanceof IntakeRefusal) {
        const { code, reason, message, details } = error;
        return answer(reply, STATUS_OF_REFUSAL[reason], {
          code,
          message,
          reason,
          field: details.field,
          limit: details.limit,
        });
      }
      if (error instanceof UploadProblem) {
        return answer(reply, STATUS_OF_PROBLEM[error.reason], { code: error.reason, message: error.message });
      }
      if (error instanceof DomainError && error.code === 'STORAGE_FULL')
        return answer(reply, 507, { code: error.code, message: error.message, ...error.details });
      log.error({ err: error, path: request.routeOptions.url }, 'a picture could not be taken in');
      const message = 'The picture cannot be stored just now. Send it to the same address again in a few seconds.';
      return answer(reply, 503, { code: 'UNAVAILABLE', message });
    });

    app.put<{ Params: { id: string } }>('/uploads/:id', { config: OWN_BODY_DEADLINE }, async (request, reply) => {
      const signature = signatureIn(request.query) ?? { expires: '', signature: '' };
      const body = { stream: request.raw, declaredBytes: declaredBytes(request) };
      const asset = await uploads.receive(request.params.id, signature, body, stopping.signal);
      return reply.code(201).send({ asset: shown(asset) });
    });
    app.options('/uploads/:id', async (_request, reply) => reply.headers(PREFLIGHT).code(204).send());
    app.route({
      method: app.supportedMethods.filter((method) => method !== 'PUT' && method !== 'OPTIONS'),
      url: '/uploads/:id',
      // Answered before a body would be read, whatever its kind or size.
      onRequest: async (_request, reply) => {
        reply.header('allow', 'PUT, OPTIONS');
        return answer(reply, 405, { code: 'METHOD_NOT_ALLOWED', message: 'A picture can only be sent here: use PUT.' });
      },
      handler: () => undefined,
    });
  };
}

function declaredBytes({ headers }: FastifyRequest): number | null {
  return headers['content-length'] === undefined ? null : Number(headers['content-length']);
}

function shown({ id, width, height, contentType, byteCount, sha256 }: Asset) {
  return { id, width, height, contentType, bytes: byteCount, sha256 };
}

function answer(reply: FastifyReply, status: number, error: Record<string, unknown>): FastifyReply {
  return reply.code(status).send({ error });
}

/** Reads on for a moment what was sent in vain, and then ends the connection. */
function letGo({ raw }: FastifyRequest): void {
  if (raw.complete) return;
  raw.resume();
  setTimeout(() => {
    if (!raw.complete) raw.socket.destroy();
  }, LINGER_MS).unref();
}
