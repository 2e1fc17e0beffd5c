import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { JournalEntry } from '../../src/sandbox/journal.ts';
import { startSandbox } from '../../src/sandbox/sandbox.ts';
import {
  askGemini,
  askStability,
  askWavespeed,
  BANANA,
  geminiBody,
  onlyEntry,
  QWEN,
  replyOf,
  useSandbox,
  wavespeedResult,
} from './ask.ts';

const sandbox = useSandbox();

describe('the journal', () => {
  test('has one entry for each purchase, with all that was bought', async () => {
    await askStability(sandbox(), 'ultra', { prompt: 'a barn', seed: 9, aspect_ratio: '16:9' });
    expect(sandbox().journal()).toEqual([
      {
        number: 1,
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        vendor: 'stability',
        model: 'ultra',
        vendorId: expect.stringMatching(/^[0-9a-f]{32}$/),
        prompt: 'a barn',
        seed: 9,
        width: 1344,
        height: 768,
        pictures: 1,
        outcome: 'delivered',
        bought: 'yes',
        fault: null,
      },
    ]);
  });

  test('counts every one of many purchases at once', async () => {
    const prompts = Array.from({ length: 30 }, (_, index) => `barn ${index}`);
    await Promise.all(prompts.map((prompt) => askWavespeed(sandbox(), QWEN, { prompt, size: '256*256' })));
    const entries = sandbox().journal();
    expect(entries.map(({ number }) => number)).toEqual(prompts.map((_, index) => index + 1));
    expect(entries.map(({ prompt }) => prompt).toSorted()).toEqual(prompts.toSorted());
  });

  test('shows that the same picture was bought twice', async () => {
    for (let time = 0; time < 2; time += 1) await askWavespeed(sandbox(), QWEN, { prompt: 'a barn', seed: 1 });
    expect(
      sandbox()
        .journal()
        .filter(({ prompt, bought }) => prompt === 'a barn' && bought === 'yes'),
    ).toHaveLength(2);
  });

  test('follows a prediction from accepted to completed, without a second entry for looks and downloads', async () => {
    const { data } = (await askWavespeed(sandbox(), QWEN, { prompt: 'a barn' })).json();
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'accepted', vendorId: data.id });
    for (let look = 0; look < 3; look += 1) await askWavespeed(sandbox(), `predictions/${data.id}/result`);
    await replyOf(`${sandbox().origin}/_sandbox/outputs/wavespeed/${data.id}.jpeg`);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'completed', bought: 'yes', vendorId: data.id });
  });

  test('keeps the prompt of a refusal that got as far as the prompt', async () => {
    await askGemini(sandbox(), BANANA, geminiBody('a barn', { candidateCount: 4 }));
    await askStability(sandbox(), 'sd3', { prompt: 'a barn', model: 'sd3.5-flash', seed: -1 });
    await askWavespeed(sandbox(), QWEN, { prompt: 'a barn', seed: -9 });
    expect(
      sandbox()
        .journal()
        .map(({ model, prompt, bought }) => [model, prompt, bought]),
    ).toEqual([
      [BANANA, 'a barn', 'no'],
      ['sd3.5-flash', 'a barn', 'no'],
      [QWEN, 'a barn', 'no'],
    ]);
  });

  test('is served as JSON', async () => {
    await askWavespeed(sandbox(), QWEN, { prompt: 'a barn' });
    const reply = await replyOf(`${sandbox().origin}/_sandbox/journal`);
    expect(reply.json()).toEqual({ entries: sandbox().journal() });
  });

  test('is not changed by whoever was given it', async () => {
    await askWavespeed(sandbox(), QWEN, { prompt: 'a barn' });
    const before = sandbox().journal();
    await askWavespeed(sandbox(), QWEN, { prompt: 'a barn' });
    expect(before).toHaveLength(1);
  });

  test('in a file has a line for each change, of which the last holds', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sandbox-'));
    const journalFile = join(folder, 'journal.jsonl');
    const kept = await startSandbox({ journalFile });
    onTestFinished(() => rmSync(folder, { recursive: true }));
    await wavespeedResult(kept, { prompt: 'a barn' });
    await askStability(kept, 'core', { prompt: 'a barn', seed: -1 });
    const entries = kept.journal();
    await kept.close();
    const lines = readFileSync(journalFile, 'utf8').trimEnd().split('\n');
    const last = new Map(lines.map((line): [number, JournalEntry] => [JSON.parse(line).number, JSON.parse(line)]));
    expect(lines.length).toBeGreaterThan(entries.length);
    expect([...last.values()]).toEqual(entries);
  });

  test('remembers a purchase whose client went away before the answer', async () => {
    const slow = await startSandbox({ latency: 1 });
    onTestFinished(() => slow.close());
    const patience = new AbortController();
    const reply = askStability(slow, 'ultra', { prompt: 'a barn' }, { signal: patience.signal });
    const settled = expect(reply).rejects.toThrow(/abort/i);
    await vi.waitFor(() => expect(slow.journal()).toHaveLength(1));
    expect(onlyEntry(slow)).toMatchObject({ outcome: 'accepted', bought: 'yes' });
    patience.abort();
    await settled;
    await vi.waitFor(() => expect(onlyEntry(slow)).toMatchObject({ outcome: 'unanswered', bought: 'yes' }));
  });

  test('remembers a purchase whose answer was never sent', async () => {
    const patience = new AbortController();
    const reply = askStability(
      sandbox(),
      'core',
      { prompt: 'a barn [sandbox:slow-headers]' },
      { signal: patience.signal },
    );
    const settled = expect(reply).rejects.toThrow(/abort/i);
    await vi.waitFor(() => expect(onlyEntry(sandbox()).outcome).toBe('delivered'));
    patience.abort();
    await settled;
    await vi.waitFor(() => expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'unanswered', bought: 'yes' }));
  });
});
