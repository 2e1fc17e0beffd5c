import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';

/** The floor: a bare node:http server that reads the request and answers the same bytes every time. */
const body = readFileSync(process.argv[2] ?? '');
const server = createServer((request, response) => {
  request.resume().on('end', () => {
    response
      .writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': body.length })
      .end(body);
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(
    `ready at http://127.0.0.1:${typeof address === 'object' && address ? address.port : 0}/graphql\n`,
  );
});
