import { randomBytes } from 'node:crypto';
import {
  type Attributes,
  type Context,
  context,
  createContextKey,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { parseTraceParent } from '@opentelemetry/core';
import type { Config } from '../config.ts';
import type { Log } from './log.ts';

/** A span says what was done and how it ended, never in whose words; {@link Tracing.takenUp} alone may be given a prompt. */
export type SpanFields = Attributes;

const TRACER = createContextKey('the tracer of what goes on here');

interface Export {
  readonly tracer: Tracer;
  stop(): Promise<void>;
}

/**
 * Where traces begin. What happens inside one finds it by itself ({@link inSpan}), so that only what begins one has to
 * be given this. Without an endpoint nothing is measured, kept or loaded.
 */
export class Tracing {
  private constructor(
    private readonly to: Export | null,
    private readonly prompts: boolean,
  ) {}

  static async open({ traceEndpoint, role, logPrompts }: Config, log: Log): Promise<Tracing> {
    if (traceEndpoint === null) return new Tracing(null, logPrompts);
    const { openExport } = await import('./trace-export.ts');
    return new Tracing(openExport(traceEndpoint, role, log), logPrompts);
  }

  /** Sends what is left, for as long as two seconds. */
  async stop(): Promise<void> {
    await this.to?.stop();
  }

  /** Does `work` as a request that came in: in the trace that its `traceparent` header names, or in a new one. */
  request<T>(header: string | undefined, work: () => Promise<T>): Promise<T> {
    return this.#root('request', header, { kind: SpanKind.SERVER }, work);
  }

  /** Does `work` as the part of a trace that was left to others, in whichever process that began. */
  takenUp<T>(name: string, parent: string | null, attributes: SpanFields, work: () => Promise<T>): Promise<T> {
    const { prompt, ...others } = attributes;
    const fields = this.prompts && prompt !== undefined ? attributes : others;
    return this.#root(name, parent ?? undefined, { kind: SpanKind.CONSUMER, attributes: fields }, work);
  }

  #root<T>(
    name: string,
    parent: string | undefined,
    options: { kind: SpanKind; attributes?: SpanFields },
    work: () => Promise<T>,
  ): Promise<T> {
    if (this.to === null) return work();
    const { tracer } = this.to;
    const came = parent === undefined ? null : parseTraceParent(parent);
    const above = came ? trace.setSpanContext(ROOT_CONTEXT, { ...came, isRemote: true }) : ROOT_CONTEXT;
    const span = tracer.startSpan(name, options, above);
    return spanned(span, above.setValue(TRACER, tracer), work);
  }
}

/** Does `work` as a part of the trace that goes on here, if there is one. */
export function inSpan<T>(
  name: string,
  attributes: SpanFields,
  work: () => Promise<T>,
  kind = SpanKind.INTERNAL,
): Promise<T> {
  const here = context.active();
  const tracer = here.getValue(TRACER) as Tracer | undefined;
  return tracer ? spanned(tracer.startSpan(name, { kind, attributes }, here), here, work) : work();
}

/** The same for a call to somebody else. */
export function inCallSpan<T>(name: string, attributes: SpanFields, work: () => Promise<T>): Promise<T> {
  return inSpan(name, attributes, work, SpanKind.CLIENT);
}

/** Gives the span that goes on here another name, now that more is known. */
export function renameSpan(name: string): void {
  trace.getActiveSpan()?.updateName(name);
}

/** Says more about the span that goes on here. */
export function annotate(attributes: SpanFields): void {
  trace.getActiveSpan()?.setAttributes(attributes);
}

/** Notes that something happened within the span that goes on here. */
export function noteEvent(name: string, attributes: SpanFields): void {
  trace.getActiveSpan()?.addEvent(name, attributes);
}

/** What a request is known by in the log: the id of its trace, where none is kept the one it came with, or a new one. */
export function requestIdOf(header: string | undefined): string {
  const here = trace.getActiveSpan()?.spanContext() ?? (header === undefined ? null : parseTraceParent(header));
  return here?.traceId ?? randomBytes(16).toString('hex');
}

/** Where this trace goes on, in the form of W3C's `traceparent`; of a trace that nobody keeps it holds the request's id. */
export function traceParentOf(requestId: string): string {
  const here = trace.getActiveSpan()?.spanContext();
  const flags = (here?.traceFlags ?? 0).toString(16).padStart(2, '0');
  return `00-${here?.traceId ?? requestId}-${here?.spanId ?? randomBytes(8).toString('hex')}-${flags}`;
}

/** The id of the request that such a text comes from. */
export function requestIdIn(traceParent: string): string | null {
  return parseTraceParent(traceParent)?.traceId ?? null;
}

async function spanned<T>(span: Span, above: Context, work: () => Promise<T>): Promise<T> {
  try {
    return await context.with(trace.setSpan(above, span), work);
  } catch (error) {
    // Its kind alone: its words may be a vendor's, or a customer's.
    span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : 'thrown' });
    throw error;
  } finally {
    span.end();
  }
}
