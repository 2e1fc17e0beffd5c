import { connect, createServer, type Server, type Socket } from 'node:net';

/**
 * The wire to a server, which can be cut: frozen, it takes connections and bytes and answers nothing, as a stopped process
 * does; closed, it refuses connections and breaks those it had.
 */
export class Wire {
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #frozen = false;

  private constructor(
    private readonly target: URL,
    private readonly port: number,
  ) {}

  static async open(target: string, port: number): Promise<Wire> {
    const wire = new Wire(new URL(target), port);
    await wire.listen();
    return wire;
  }

  get url(): string {
    const url = new URL(this.target);
    url.port = String(this.port);
    return url.href;
  }

  async listen(): Promise<void> {
    const server = createServer((inside) => {
      const outside = connect(Number(this.target.port), this.target.hostname);
      for (const socket of [inside, outside]) {
        this.#sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => {
          this.#sockets.delete(socket);
          inside.destroy();
          outside.destroy();
        });
      }
      inside.on('data', (bytes) => outside.write(bytes));
      outside.on('data', (bytes) => inside.write(bytes));
      if (this.#frozen) for (const socket of [inside, outside]) socket.pause();
    });
    await new Promise<void>((resolve) => server.listen(this.port, '127.0.0.1', resolve));
    this.#server = server;
  }

  freeze(): void {
    this.#frozen = true;
    for (const socket of this.#sockets) socket.pause();
  }

  thaw(): void {
    this.#frozen = false;
    for (const socket of this.#sockets) socket.resume();
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server?.close(resolve));
  }
}
