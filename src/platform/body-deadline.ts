import type { FastifyInstance } from 'fastify';

declare module 'fastify' {
  interface FastifyContextConfig {
    readonly ownBodyDeadline?: true;
  }
}

/** For routes that take long bodies, and see to it themselves that these do not take for ever. */
export const OWN_BODY_DEADLINE = { ownBodyDeadline: true } as const;

const TOO_SLOW = {
  message: 'The body of the request came too slowly. Nothing was run and nothing was charged.',
  extensions: { code: 'REQUEST_TIMEOUT' },
};

/** Ends requests whose body is not there within `ms`, however steadily it comes. */
export function limitBodies(app: FastifyInstance, ms: number): void {
  app.addHook('onRequest', (request, reply, done) => {
    const { raw } = request;
    if (!request.routeOptions.config.ownBodyDeadline && hasBody(raw.headers)) {
      const timer = setTimeout(() => {
        if (raw.complete) return;
        if (!reply.sent) reply.code(408).send({ errors: [TOO_SLOW] });
        raw.socket.destroySoon();
      }, ms).unref();
      raw.once('close', () => clearTimeout(timer));
    }
    done();
  });
}

function hasBody(headers: Readonly<Record<string, unknown>>): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}
