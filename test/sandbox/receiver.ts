import { createHmac } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import { afterEach, beforeEach } from 'vitest';

export interface Message {
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** Somebody who ordered webhooks. */
export interface Receiver {
  readonly url: string;
  readonly messages: Message[];
  /** What to answer, message by message; after the last one 204. */
  readonly answers: number[];
  close(): Promise<void>;
}

async function startReceiver(): Promise<Receiver> {
  const messages: Message[] = [];
  const answers: number[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    messages.push({ url: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() });
    response.writeHead(answers.shift() ?? 204, { location: '/elsewhere' }).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the receiver has no port');
  return {
    url: `http://127.0.0.1:${address.port}/hook?for=me`,
    messages,
    answers,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

/** A fresh receiver for every test of a file. */
export function useReceiver(): () => Receiver {
  let receiver: Receiver | undefined;
  beforeEach(async () => {
    receiver = await startReceiver();
  });
  afterEach(async () => {
    await receiver?.close();
    receiver = undefined;
  });
  return () => {
    if (!receiver) throw new Error('there is no receiver outside a test');
    return receiver;
  };
}

/** Whether a message is signed with a secret, worked out here from the vendor's description alone. */
export function isSigned({ headers, body }: Message, secret: string): boolean {
  const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const key = secret.replace(/^whsec_/, '');
  return headers['webhook-signature'] === `v3,${createHmac('sha256', key).update(signed).digest('hex')}`;
}

/** How many seconds ago a message says that it was signed. */
export function ageOf({ headers }: Message): number {
  return Date.now() / 1000 - Number(headers['webhook-timestamp']);
}
