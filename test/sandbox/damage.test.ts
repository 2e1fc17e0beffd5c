import { describe, expect, test, vi } from 'vitest';
import { VENDORS, type Vendor } from '../../src/sandbox/faults.menu.ts';
import { measured, onlyEntry, QWEN, useSandbox } from './ask.ts';
import { type Ask, AT_ONCE, pictureIn, SUBMIT } from './submit.ts';

const sandbox = useSandbox();

const SHAPES: Record<Vendor, (status: number) => unknown> = {
  stability: () => ({ id: expect.any(String), name: expect.any(String), errors: [expect.any(String)] }),
  wavespeed: (status) => ({ code: status, message: expect.any(String) }),
  huggingface: (status) => ({
    error: expect.any(String),
    ...(status === 503 && { estimated_time: 20 }),
  }),
  gemini: (code) => ({
    error: expect.objectContaining({ code, message: expect.any(String), status: expect.any(String) }),
  }),
};

/** Where a proxy answers instead of the vendor. */
const PAGES: Record<Vendor, readonly number[]> = {
  stability: [502, 503, 504],
  wavespeed: [],
  huggingface: [502, 504],
  gemini: [502],
};

const STATUSES = [400, 401, 402, 403, 404, 410, 413, 422, 429, 500, 502, 503, 504];

describe.each(VENDORS)('%s, when it is told to', (vendor) => {
  const submit: Ask = SUBMIT[vendor];

  test.each(STATUSES)('answers %i in its own words and draws nothing', async (status) => {
    const reply = await submit(sandbox(), `a barn [sandbox:status=${status}]`);
    expect(reply.status).toBe(status);
    if (PAGES[vendor].includes(status)) expect(reply.text).toMatch(/^<!DOCTYPE html>/);
    else expect(reply.json()).toEqual(SHAPES[vendor](status));
    expect(onlyEntry(sandbox())).toMatchObject(
      status >= 500 ? { outcome: 'errored', bought: 'unknown' } : { outcome: 'refused', bought: 'no' },
    );
  });

  test('answers an error page', async () => {
    const reply = await submit(sandbox(), 'a barn [sandbox:html]');
    expect([reply.status, reply.headers.get('content-type')]).toEqual([502, 'text/html; charset=utf-8']);
    expect(onlyEntry(sandbox()).bought).toBe('unknown');
  });

  test('answers an error page with another status', async () => {
    const reply = await submit(sandbox(), 'a barn [sandbox:html=503]');
    expect([reply.status, reply.text]).toEqual([503, expect.stringMatching(/^<!DOCTYPE html>/)]);
  });

  test('declares the right bytes as HTML', async () => {
    const [declared, usual] = [
      await submit(sandbox(), 'a barn [sandbox:picture-as-html]'),
      await submit(sandbox(), 'a barn'),
    ];
    expect(declared.headers.get('content-type')).toMatch(/^text\/html/);
    expect(declared.bytes.subarray(0, 8)).toEqual(usual.bytes.subarray(0, 8));
    expect(sandbox().journal()[0]?.outcome).toBe(sandbox().journal()[1]?.outcome);
  });

  test('declares a page of HTML as a picture', async () => {
    const reply = await submit(sandbox(), 'a barn [sandbox:html-as-picture]');
    expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'image/png']);
    expect(reply.text).toMatch(/^<!DOCTYPE html>/);
    expect(onlyEntry(sandbox()).bought).toBe('yes');
  });

  test('resets the connection before it has bought anything', async () => {
    await expect(submit(sandbox(), 'a barn [sandbox:reset-before]')).rejects.toThrow('fetch failed');
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'refused', bought: 'no' });
  });

  test('resets the connection before it has read the body', async () => {
    sandbox().faults.next(vendor, 'reset-before');
    await expect(submit(sandbox(), 'a barn')).rejects.toThrow('fetch failed');
    expect(onlyEntry(sandbox())).toMatchObject({
      outcome: 'refused',
      bought: 'no',
      prompt: null,
      fault: 'reset-before',
    });
  });

  test.each(['reset-after', 'reset-midway'])('loses the connection after it has bought: %s', async (fault) => {
    await expect(submit(sandbox(), `a barn [sandbox:${fault}]`)).rejects.toThrow();
    expect(onlyEntry(sandbox())).toMatchObject({ bought: 'yes', prompt: `a barn [sandbox:${fault}]`, fault });
  });

  test('never answers, and has bought all the same', async () => {
    const patience = new AbortController();
    const reply = submit(sandbox(), 'a barn [sandbox:never]', patience.signal);
    const settled = expect(reply).rejects.toThrow(/abort/i);
    await vi.waitFor(() => expect(sandbox().journal()).toHaveLength(1));
    patience.abort();
    await settled;
    expect(onlyEntry(sandbox())).toMatchObject({ bought: 'yes', fault: 'never' });
  });

  test('keeps its headers back for a while', async () => {
    const start = performance.now();
    const reply = await submit(sandbox(), 'a barn [sandbox:slow-headers=80]');
    expect(performance.now() - start).toBeGreaterThanOrEqual(75);
    expect([reply.status, onlyEntry(sandbox()).bought]).toEqual([200, 'yes']);
  });

  test('sends its body in drops', async () => {
    const start = performance.now();
    const reply = await submit(sandbox(), 'a barn [sandbox:slow-body=80]');
    expect(performance.now() - start).toBeGreaterThanOrEqual(75);
    expect(reply.bytes.length).toBe(Number(reply.headers.get('content-length')));
  });

  test('answers 200 with nothing', async () => {
    const reply = await submit(sandbox(), 'a barn [sandbox:empty]');
    expect([reply.status, reply.bytes.length, onlyEntry(sandbox()).bought]).toEqual([200, 0, 'yes']);
  });

  test('answers 200 with JSON that breaks off', async () => {
    const reply = await submit(sandbox(), 'a barn [sandbox:truncated-json]');
    expect([reply.status, reply.headers.get('content-type')]).toEqual([
      200,
      expect.stringMatching(/^application\/json/),
    ]);
    expect(() => reply.json()).toThrow(SyntaxError);
    expect(onlyEntry(sandbox()).bought).toBe('yes');
  });

  test('answers 200 with a page of HTML', async () => {
    const reply = await submit(sandbox(), 'a barn [sandbox:wrong-type]');
    expect([reply.status, reply.text]).toEqual([200, expect.stringMatching(/^<!DOCTYPE html>/)]);
    expect(onlyEntry(sandbox()).bought).toBe('yes');
  });

  test('answers 200 with words', async () => {
    const reply = await submit(sandbox(), 'a barn [sandbox:prose]');
    expect([reply.status, onlyEntry(sandbox()).bought]).toEqual([200, 'yes']);
    expect(reply.text).toMatch(/describe/);
  });

  test('leaves alone what is meant for another vendor', async () => {
    const others = VENDORS.filter((each) => each !== vendor);
    const directives = others.map((other) => `[sandbox:status=503 at=${other}]`).join('');
    expect((await submit(sandbox(), `a barn ${directives}`)).status).toBe(200);
  });

  test('says what it does not understand instead of drawing', async () => {
    const reply = await submit(sandbox(), 'a barn [sandbox:explode]');
    expect([reply.status, reply.json().sandbox]).toEqual([400, expect.stringContaining('no fault "explode"')]);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'refused', bought: 'no' });
  });

  test('suffers what was planned for it, so often and no more', async () => {
    sandbox().faults.next(vendor, 'status=503', 2);
    sandbox().faults.next(vendor, 'status=402');
    const statuses: number[] = [];
    for (let time = 0; time < 4; time += 1) statuses.push((await submit(sandbox(), 'a barn')).status);
    expect(statuses).toEqual([503, 503, 402, 200]);
    expect(sandbox().faults.pending()).toEqual([]);
  });
});

describe.each(AT_ONCE)('a picture that %s sends', (vendor) => {
  const submit: Ask = SUBMIT[vendor];
  const draw = async (fault: string) => pictureIn(vendor, await submit(sandbox(), `a barn [sandbox:${fault}]`));
  const SIDE: Record<(typeof AT_ONCE)[number], number> = { stability: 1216, huggingface: 1024, gemini: 1024 };
  const side = SIDE[vendor];

  test('breaks off in the middle', async () => {
    const [broken, whole] = [await draw('truncated-picture'), await draw('slow-headers=1')];
    expect(broken.length).toBeLessThan(whole.length);
    expect(await measured(broken)).toMatchObject({ width: side, height: side });
    expect(sandbox().journal()[0]).toMatchObject({ outcome: 'damaged', bought: 'yes' });
  });

  test('has half of the asked sides', async () => {
    expect(await measured(await draw('wrong-size'))).toMatchObject({ width: side / 2, height: side / 2 });
    expect(onlyEntry(sandbox())).toMatchObject({ width: side, height: side, outcome: 'damaged', bought: 'yes' });
  });

  test('declares more pixels than anybody has memory for', async () => {
    expect((await draw('bomb')).readUInt32BE(16)).toBe(30_000);
  });

  test('is larger than anybody would want', async () => {
    expect((await draw('huge=2')).length).toBeGreaterThan(2_000_000);
  });
});

describe('a body that never ends', () => {
  test('has headers at once, no length, and goes on after the whole of it was sent', async () => {
    const answer = await fetch(`${sandbox().origin}/api/v3/${QWEN}`, {
      method: 'POST',
      headers: { authorization: 'Bearer ws-good', 'content-type': 'application/json' },
      body: JSON.stringify({ prompt: 'a barn [sandbox:endless]' }),
    });
    expect([answer.status, answer.headers.get('content-length')]).toEqual([200, null]);
    let text = '';
    const decoder = new TextDecoder();
    for await (const drop of answer.body ?? []) {
      text += decoder.decode(drop);
      if (/"code":200.*"code":200/.test(text)) break;
    }
    expect(text.indexOf('"message":"success"')).toBe(12);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'accepted', bought: 'yes', fault: 'endless' });
  });

  test('is never a picture for whoever waits for one', async () => {
    const patience = new AbortController();
    const reply = SUBMIT.stability(sandbox(), 'a barn [sandbox:endless]', patience.signal);
    const settled = expect(reply).rejects.toThrow(/abort/i);
    await vi.waitFor(() => expect(onlyEntry(sandbox()).outcome).toBe('unanswered'));
    patience.abort();
    await settled;
    expect(onlyEntry(sandbox()).bought).toBe('yes');
  });
});
