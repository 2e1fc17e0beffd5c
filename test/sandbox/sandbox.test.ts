import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import { askGemini, askStability, askWavespeed, BANANA, geminiBody, QWEN, replyOf, useSandbox } from './ask.ts';

const SOURCE = join(import.meta.dirname, '../../src/sandbox');

/** What a source file imports that is neither beside it, nor part of Node, nor a library for drawing or keeping. */
function foreignImports(source: string): string[] {
  const names = [...source.matchAll(/\b(?:from\s+|import\s*\(?\s*)['"]([^'"]+)['"]/g)].map((match) => match[1] ?? '');
  return names.filter((name) => !/^(\.\/[\w.]+\.ts|node:[\w/]+|sharp|lru-cache)$/.test(name));
}

describe('the sandbox shares no code with what it judges', () => {
  test.each(readdirSync(SOURCE))('%s', (file) => {
    expect(foreignImports(readFileSync(join(SOURCE, file), 'utf8'))).toEqual([]);
  });

  test('and this would be noticed', () => {
    expect(foreignImports("import { MODELS } from '../catalog/models.ts';\nawait import('zod');")).toEqual([
      '../catalog/models.ts',
      'zod',
    ]);
  });
});

describe('the server', () => {
  const sandbox = useSandbox();

  test('takes a free port of this machine alone', () => {
    expect(sandbox().origin).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  });

  test.each(['/', '/v2beta/stable-image/edit/erase', '/v1beta/models', '/_sandbox/nothing', '/%E0%A4%A', '//x'])(
    'answers for %s that there is nothing',
    async (path) => {
      const reply = await replyOf(sandbox().origin + path);
      expect([400, 404]).toContain(reply.status);
      expect(reply.json().error).toMatch(/^sandbox: /);
    },
  );

  test('does not journal what asks for no picture', async () => {
    await replyOf(`${sandbox().origin}/v2beta/stable-image/generate/core`);
    expect(sandbox().journal()).toEqual([]);
  });

  test('rejects when its port is taken', async () => {
    const port = Number(new URL(sandbox().origin).port);
    await expect(startSandbox({ port })).rejects.toThrow('EADDRINUSE');
  });

  test('closes at once with work under way, and twice does no harm', async () => {
    const slow = await startSandbox({ latency: 1 });
    const drawing = [
      askStability(slow, 'ultra', { prompt: 'a barn' }),
      askGemini(slow, BANANA, geminiBody('a barn')),
      askStability(slow, 'core', { prompt: 'a barn [sandbox:never]' }),
      askWavespeed(slow, QWEN, { prompt: 'a barn', enable_sync_mode: true }),
    ];
    const ends = Promise.allSettled(drawing);
    await vi.waitFor(() => expect(slow.journal()).toHaveLength(4));
    const start = performance.now();
    await slow.close();
    await slow.close();
    expect(performance.now() - start).toBeLessThan(1000);
    expect((await ends).map(({ status }) => status)).toEqual(Array.from(drawing, () => 'rejected'));
  });
});

describe('latency', () => {
  const seconds = async (latency: number, work: (at: Awaited<ReturnType<typeof startSandbox>>) => Promise<unknown>) => {
    const sandbox = await startSandbox({ latency });
    onTestFinished(() => sandbox.close());
    const start = performance.now();
    await work(sandbox);
    return (performance.now() - start) / 1000;
  };

  test('scales the time that a model usually takes', async () => {
    const draw = (service: string) => (at: Parameters<typeof askStability>[0]) =>
      askStability(at, service, { prompt: 'a barn' });
    expect(await seconds(0.01, draw('ultra'))).toBeGreaterThanOrEqual(0.195);
    expect(await seconds(0.01, draw('core'))).toBeGreaterThanOrEqual(0.075);
  });

  test('lets a prediction wait, then be drawn, then be done, by the clock', async () => {
    const sandbox = await startSandbox({ latency: 0.1 });
    onTestFinished(() => sandbox.close());
    const { data } = (await askWavespeed(sandbox, QWEN, { prompt: 'a barn' })).json();
    const seen = new Set<string>([data.status]);
    await vi.waitFor(async () => {
      const status = (await askWavespeed(sandbox, `predictions/${data.id}/result`)).json().data.status;
      seen.add(status);
      expect(status).toBe('completed');
    });
    expect([...seen]).toEqual(['created', 'processing', 'completed']);
  });

  test('of nothing still shows as many unfinished looks as asked', async () => {
    const sandbox = await startSandbox({ pendingLooks: 0 });
    onTestFinished(() => sandbox.close());
    const { data } = (await askWavespeed(sandbox, QWEN, { prompt: 'a barn' })).json();
    const reply = await askWavespeed(sandbox, `predictions/${data.id}/result`);
    expect(reply.json().data.status).toBe('completed');
  });
});
