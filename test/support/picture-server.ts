import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A web server of somebody else, which remembers what it was asked. */
export interface PictureServer {
  readonly host: string;
  readonly url: string;
  /** Paths asked for, with the headers of each. */
  readonly asked: { readonly path: string; readonly headers: IncomingMessage['headers'] }[];
  /** What it answers, by path. */
  readonly answers: Map<string, (response: ServerResponse) => unknown>;
  close(): Promise<void>;
}

export async function startPictureServer(): Promise<PictureServer> {
  const asked: PictureServer['asked'] = [];
  const answers: PictureServer['answers'] = new Map();
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push({ path, headers: request.headers });
    const answer = answers.get(new URL(path, 'http://x').pathname);
    if (answer) answer(response);
    else response.writeHead(404).end('nothing here');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    host,
    url: `http://${host}`,
    asked,
    answers,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
