import type { FastifyPluginAsync } from 'fastify';
import { PROVIDER_NAMES, type ProviderName } from '../catalog/models.ts';
import type { Metrics } from '../platform/metrics.ts';
import type { Signer } from '../platform/signer.ts';
import type { Receipt, VendorReports } from './vendor-reports.ts';

const PATH = '/webhooks';
/** A report says how a job stands and where its picture is, and carries none. */
const BODY_BYTES_MAX = 256 * 1024;

/** A vendor repeats what is not answered with a success, which helps only where we could not tell. */
const STATUS_OF: Record<Receipt, number> = { TAKEN: 204, FORGED: 401, CANNOT_TELL: 503 };

const PURPOSE = 'vendor-report';

/**
 * Where a vendor reports how an attempt ended, below the address that clients reach us at. Signed by us: a vendor's
 * signature says that a report is its own, but not which attempt it is for.
 */
export function webhookPath(signer: Signer, provider: ProviderName, attemptId: string): string {
  return `${PATH}/${provider}/${attemptId}/${signer.sign(PURPOSE, attemptId)}`;
}

/** The address that vendors report to. */
export function vendorWebhooks(reports: VendorReports, signer: Signer, metrics: Metrics): FastifyPluginAsync {
  return async (app) => {
    // Signatures are over the bytes as they came, so nothing may read them first.
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit: BODY_BYTES_MAX }, (_request, body, done) =>
      done(null, body),
    );
    app.post<{ Params: { provider: string; attemptId: string; signature: string } }>(
      `${PATH}/:provider/:attemptId/:signature`,
      async (request, reply) => {
        const { provider, attemptId, signature } = request.params;
        const name = PROVIDER_NAMES.find((each) => each === provider);
        if (!name || !signer.verify(PURPOSE, attemptId, signature)) return reply.callNotFound();
        const body = Buffer.isBuffer(request.body) ? request.body : Buffer.alloc(0);
        const receipt = await reports.receive(name, attemptId, { headers: request.headers, body });
        metrics.vendorReports.inc({ provider: name, outcome: receipt });
        return reply.code(STATUS_OF[receipt]).send();
      },
    );
  };
}
