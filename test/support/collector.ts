import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Arrivals } from './live.ts';

type Fields = Record<string, string | number | boolean>;

/** A span as a collector gets it. */
export interface CollectedSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly attributes: Fields;
  readonly events: readonly { readonly name: string; readonly attributes: Fields }[];
  readonly status: { readonly code: number; readonly message?: string };
  /** The part that the process plays which sent it. */
  readonly role: string;
}

/** What is asked of a span besides its name, and its parts, in the order in which they began. */
export interface SpanTree {
  readonly name: string;
  readonly span: CollectedSpan;
  readonly parts: readonly SpanTree[];
}

interface WireSpan extends Omit<CollectedSpan, 'attributes' | 'events' | 'role'> {
  readonly attributes: readonly WireField[];
  readonly events: readonly { readonly name: string; readonly attributes: readonly WireField[] }[];
}
interface WireField {
  readonly key: string;
  readonly value: Record<string, string | number | boolean>;
}
interface WireBody {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly WireField[] };
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
}

/** A collector of traces, as OTLP over HTTP has it. */
export class Collector {
  readonly spans: CollectedSpan[] = [];
  /** Method, path and content type of each request, as they come. */
  readonly requests = new Arrivals<string>();
  readonly #server = createServer();
  /** How it answers; with success unless told otherwise. */
  answer: (response: ServerResponse) => void = (response) => response.end('{}');

  private constructor(readonly port: number) {}

  /** `port` 0 means any that is free. */
  static async start(port = 0): Promise<Collector> {
    const server = new Collector(port);
    server.#server.on('request', async (request, response) => {
      const body = Buffer.concat(await request.toArray());
      server.requests.add(`${request.method} ${request.url} ${request.headers['content-type']}`);
      server.#keep(JSON.parse(body.toString()) as WireBody);
      server.answer(response);
    });
    server.#server.listen(port, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The one tree that the spans of a trace make below `parentSpanId`. */
  tree(traceId: string, parentSpanId?: string): readonly SpanTree[] {
    return this.spans
      .filter((span) => span.traceId === traceId && span.parentSpanId === parentSpanId)
      .map((span) => ({ name: span.name, span, parts: this.tree(traceId, span.spanId) }));
  }

  #keep({ resourceSpans }: WireBody): void {
    for (const { resource, scopeSpans } of resourceSpans) {
      const role = String(fieldsOf(resource.attributes)['gateway.role']);
      const spans = scopeSpans.flatMap((scope) => scope.spans);
      this.spans.push(
        ...spans.map((span) => ({
          ...span,
          role,
          attributes: fieldsOf(span.attributes),
          events: span.events.map(({ name, attributes }) => ({ name, attributes: fieldsOf(attributes) })),
        })),
      );
    }
  }
}

function fieldsOf(fields: readonly WireField[]): Fields {
  return Object.fromEntries(fields.map(({ key, value }) => [key, Object.values(value)[0] ?? '']));
}

/** The names of a tree, each part indented under what it is a part of; parts are told in alphabetical order. */
export function namesOf(trees: readonly SpanTree[], depth = 0): string[] {
  return [...trees]
    .sort((a, b) => a.name.localeCompare(b.name))
    .flatMap(({ name, parts }) => [`${'  '.repeat(depth)}${name}`, ...namesOf(parts, depth + 1)]);
}
