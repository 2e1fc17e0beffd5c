import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readConfig } from '../../src/config.ts';
import { createLog } from '../../src/platform/log.ts';
import {
  annotate,
  inSpan,
  noteEvent,
  renameSpan,
  requestIdIn,
  requestIdOf,
  Tracing,
  traceParentOf,
} from '../../src/platform/tracing.ts';
import { Collector, namesOf } from '../support/collector.ts';
import { LogLines } from '../support/log-lines.ts';
import { freePort } from '../support/server-process.ts';

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736';
const SPAN = '00f067aa0ba902b7';
const HEADER = `00-${TRACE}-${SPAN}-01`;

describe('without an endpoint', () => {
  test('work is done as if nothing stood around it, and nothing is known of a trace', async () => {
    const tracing = await Tracing.open(readConfig({}), createLog('silent'));
    const said = await tracing.request(HEADER, () =>
      inSpan('part', {}, async () => {
        annotate({ a: 1 });
        noteEvent('b', {});
        return traceParentOf('f'.repeat(32));
      }),
    );
    expect(said).toMatch(/^00-f{32}-[0-9a-f]{16}-00$/);
    await expect(tracing.takenUp('job', HEADER, {}, async () => Promise.reject(new Error('x')))).rejects.toThrow('x');
    await tracing.stop();
  });

  test('a request is known by the trace it came with, or by an id of its own', () => {
    expect(requestIdOf(HEADER)).toBe(TRACE);
    const own = [undefined, '', 'no trace', `00-${'0'.repeat(32)}-${SPAN}-01`, `${HEADER}, ${HEADER}`].map(requestIdOf);
    for (const id of own) expect(id).toMatch(/^[0-9a-f]{32}$/);
    expect(new Set([TRACE, ...own]).size).toBe(own.length + 1);
    expect(requestIdIn(traceParentOf(TRACE))).toBe(TRACE);
  });
});

describe('with a collector', () => {
  let collector: Collector;
  let lines: LogLines;
  beforeEach(async () => {
    collector = await Collector.start();
    lines = new LogLines();
  });
  afterEach(() => collector.stop());

  const open = (more: Record<string, string> = {}) =>
    Tracing.open(
      readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, ...more }),
      createLog('debug', { to: lines }),
    );

  test('parts belong to what they are parts of, and go on where the text of a trace is taken up elsewhere', async () => {
    const [here, there] = [await open({ ROLE: 'all' }), await open()];
    let carried = '';
    await here.request(HEADER, async () => {
      renameSpan('query viewer');
      expect(requestIdOf(undefined)).toBe(TRACE);
      await Promise.all([
        inSpan('one', { n: 1 }, async () => inSpan('one of one', {}, async () => undefined)),
        inSpan('two', {}, async () => {
          noteEvent('poll', { outcome: 'pending' });
          carried = traceParentOf('not used');
        }),
      ]);
    });
    await there.takenUp('job', carried, { 'job.id': 'job_1' }, async () => annotate({ outcome: 'done' }));
    await Promise.all([here.stop(), there.stop()]);
    expect(namesOf(collector.tree(TRACE, SPAN))).toEqual([
      'query viewer',
      '  one',
      '    one of one',
      '  two',
      '    job',
    ]);
    const named = (name: string) => collector.spans.find((span) => span.name === name);
    expect(named('job')?.attributes).toEqual({ 'job.id': 'job_1', outcome: 'done' });
    expect(named('two')?.events).toEqual([{ name: 'poll', attributes: { outcome: 'pending' } }]);
    expect(new Set(collector.requests.all)).toEqual(new Set(['POST /v1/traces application/json']));
    expect(lines.text).toEqual([]);
  });

  test.each([
    ['no header', undefined],
    ['a header that is none', 'abc'],
  ])('a request with %s begins a trace of its own', async (_, header) => {
    const tracing = await open();
    await tracing.request(header, async () => undefined);
    await tracing.stop();
    expect(collector.spans).toMatchObject([{ name: 'request', traceId: expect.stringMatching(/^[0-9a-f]{32}$/) }]);
    expect(collector.spans[0]?.parentSpanId).toBeUndefined();
  });

  test('a caller that wants its request left out does not decide that', async () => {
    const tracing = await open();
    await tracing.request(`00-${TRACE}-${SPAN}-00`, async () => undefined);
    await tracing.stop();
    expect(namesOf(collector.tree(TRACE, SPAN))).toEqual(['request']);
  });

  test('a failure is told by its kind alone, and is thrown on', async () => {
    const tracing = await open();
    const failing = tracing.request(undefined, () =>
      inSpan('part', {}, async () => {
        throw new TypeError('the words of a customer');
      }),
    );
    await expect(failing).rejects.toThrow('the words of a customer');
    await tracing.stop();
    expect(collector.spans.map(({ name, status }) => [name, status])).toEqual([
      ['part', { code: 2, message: 'TypeError' }],
      ['request', { code: 2, message: 'TypeError' }],
    ]);
    expect(JSON.stringify(collector.spans)).not.toContain('customer');
  });

  test('a prompt is told only where prompts may be', async () => {
    for (const LOG_PROMPTS of ['false', 'true']) {
      const tracing = await open({ LOG_PROMPTS });
      await tracing.takenUp('job', null, { n: 1, prompt: 'a dock' }, async () => undefined);
      await tracing.stop();
    }
    expect(collector.spans.map(({ attributes }) => attributes)).toEqual([{ n: 1 }, { n: 1, prompt: 'a dock' }]);
  });

  test('that never answers holds a stop up for two seconds and no longer', async () => {
    collector.answer = () => undefined;
    const tracing = await open();
    await tracing.request(undefined, async () => undefined);
    const begunAt = performance.now();
    await tracing.stop();
    expect(performance.now() - begunAt).toBeLessThan(2_500);
    expect(collector.spans).toHaveLength(1);
  });
});

const AWAY = 'traces cannot be delivered and are dropped; nothing else depends on it';
/** More than a batch, so that one is sent without waiting for its time. */
const batch = (tracing: Tracing) =>
  Promise.all(Array.from({ length: 520 }, () => tracing.request(undefined, async () => undefined)));

describe('a collector that is away', () => {
  const lines = new LogLines();
  const said = () => lines.all.map(({ level, msg, collector }) => ({ level, msg, collector }));

  test('costs spans, which is said, and nothing else', async () => {
    const collector = `127.0.0.1:${await freePort()}`;
    const config = readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://${collector}` });
    const tracing = await Tracing.open(config, createLog('debug', { to: lines }));
    const begunAt = performance.now();
    await batch(tracing);
    expect(performance.now() - begunAt).toBeLessThan(1_000);
    await expect.poll(said, { timeout: 20_000 }).toEqual([{ level: 'warn', msg: AWAY, collector }]);
    await tracing.stop();
  });

  test('is said once, however many batches that costs, and once that it is back', async () => {
    lines.text.length = 0;
    const collector = await Collector.start();
    collector.answer = (response) => response.writeHead(400).end();
    const config = readConfig({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url });
    const tracing = await Tracing.open(config, createLog('debug', { to: lines }));
    for (let batches = 1; batches <= 3; batches++) {
      await batch(tracing);
      await expect.poll(() => collector.requests.all.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(batches);
    }
    collector.answer = (response) => response.end('{}');
    await batch(tracing);
    await tracing.stop();
    await collector.stop();
    expect(said().map(({ level, msg }) => ({ level, msg }))).toEqual([
      { level: 'warn', msg: AWAY },
      { level: 'info', msg: 'traces are delivered again' },
    ]);
  });
});
