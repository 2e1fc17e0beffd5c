import { describe, expect, test } from 'vitest';
import type { Edit } from '../../src/sandbox/edit.ts';
import { Jobs } from '../../src/sandbox/jobs.ts';
import { Journal } from '../../src/sandbox/journal.ts';
import { SentPicture } from '../../src/sandbox/sent.ts';
import {
  askFal,
  askWavespeed,
  falResult,
  measured,
  onlyEntry,
  QWEN,
  replyOf,
  useSandbox,
  wavespeedResult,
} from './ask.ts';

const sandbox = useSandbox();

describe('the pictures of WaveSpeed and fal', () => {
  const ADDRESSES: Record<string, (prompt: string) => Promise<string>> = {
    wavespeed: async (prompt) => {
      const input = { prompt, size: '512*512', output_format: 'png' };
      return (await wavespeedResult(sandbox(), input)).json().data.outputs[0];
    },
    fal: async (prompt) => {
      const input = { prompt, image_size: { width: 512, height: 512 }, output_format: 'png' };
      return (await falResult(sandbox(), input)).json().images[0].url;
    },
  };

  describe.each(Object.entries(ADDRESSES))('%s', (_, addressOf) => {
    const found = async (prompt: string) => {
      const url = await addressOf(prompt);
      return { url, reply: () => replyOf(url) };
    };
    const download = async (prompt: string) => replyOf(await addressOf(prompt));

    test('can be spoiled', async () => {
      expect(await measured((await download('a barn [sandbox:wrong-size]')).bytes)).toMatchObject({ width: 256 });
      expect((await download('a barn [sandbox:bomb]')).bytes.readUInt32BE(16)).toBe(30_000);
      const outcomes = sandbox()
        .journal()
        .map(({ outcome, bought }) => `${outcome} ${bought}`);
      expect(outcomes).toEqual(['damaged yes', 'damaged yes']);
    });

    test.each([
      ['status=404', 404, /NoSuchKey|Status404/],
      ['status=503', 503, /Status503/],
      ['empty', 200, /^$/],
      ['wrong-type', 200, /^<!DOCTYPE html>/],
    ])('can fail to download with %s', async (fault, status, text) => {
      const reply = await download(`a barn [sandbox:${fault} on=download]`);
      expect([reply.status, reply.text]).toEqual([status, expect.stringMatching(text)]);
    });

    test('can fail to download once and then not', async () => {
      const prompt = 'a barn [sandbox:status=500 on=download times=1]';
      const first = await download(prompt);
      const id = sandbox().journal()[0]?.vendorId;
      const vendor = sandbox().journal()[0]?.vendor;
      const second = await replyOf(`${sandbox().origin}/_sandbox/outputs/${vendor}/${id}.png`);
      expect([first.status, second.status]).toEqual([500, 200]);
    });

    test('can be declared as what they are not', async () => {
      const asHtml = await download('a barn [sandbox:picture-as-html on=download]');
      expect(asHtml.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(await measured(asHtml.bytes)).toMatchObject({ width: 512, height: 512 });
      const asPicture = await download('a barn [sandbox:html-as-picture on=download]');
      expect([asPicture.headers.get('content-type'), asPicture.text]).toEqual([
        'image/png',
        expect.stringMatching(/^<!DOCTYPE html>/),
      ]);
    });

    test('can lie on another host', async () => {
      const { url, reply } = await found('a barn [sandbox:result-elsewhere]');
      expect(url).toMatch(/^http:\/\/localhost:\d+\/_sandbox\/outputs\//);
      expect(new URL(url).port).toBe(new URL(sandbox().origin).port);
      expect(await measured((await reply()).bytes)).toMatchObject({ width: 512 });
    });

    test('can be moved to another host', async () => {
      const { url, reply } = await found('a barn [sandbox:result-redirected]');
      expect(url).toMatch(`${sandbox().origin}/_sandbox/moved/`);
      const moved = await fetch(url, { redirect: 'manual' });
      expect([moved.status, moved.headers.get('location')]).toEqual([
        302,
        expect.stringMatching(/^http:\/\/localhost:\d+\/_sandbox\/outputs\//),
      ]);
      expect(await measured((await reply()).bytes)).toMatchObject({ width: 512 });
    });

    test.each([
      ['result-private', 'http://169.254.169.254/'],
      ['result-private=10', 'http://10.0.0.1/'],
      ['result-private=192', 'http://192.168.0.1/'],
    ])('can lie where no client may look: %s', async (fault, start) => {
      expect((await found(`a barn [sandbox:${fault}]`)).url.startsWith(start)).toBe(true);
    });

    test('can be moved to where no client may look', async () => {
      const { url } = await found('a barn [sandbox:result-redirected][sandbox:result-private]');
      expect(url).toMatch(`${sandbox().origin}/_sandbox/moved/`);
      const moved = await fetch(url, { redirect: 'manual' });
      expect(moved.headers.get('location')).toMatch(/^http:\/\/169\.254\.169\.254\//);
    });

    test('can be gone, although the job was done and paid', async () => {
      const { reply } = await found('a barn [sandbox:result-gone]');
      const answer = await reply();
      expect([answer.status, answer.text]).toEqual([404, expect.stringContaining('NoSuchKey')]);
      expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'completed', bought: 'yes' });
    });

    test('can break off while they are downloaded', async () => {
      await expect(download('a barn [sandbox:reset-midway on=download]')).rejects.toThrow();
    });
  });
});

describe('a job of WaveSpeed', () => {
  const end = async (fault: string) => {
    const reply = await wavespeedResult(sandbox(), { prompt: `a barn [sandbox:${fault}]` });
    return { status: reply.status, ...reply.json() };
  };

  test('fails inside a success, and is not paid', async () => {
    const { status, code, data } = await end('poll-failed');
    expect([status, code]).toEqual([200, 200]);
    expect(data).toMatchObject({ status: 'failed', code: 1405, error: expect.stringMatching(/./), outputs: [] });
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'failed', bought: 'refunded' });
  });

  test('is refused by moderation inside a success, and is not paid', async () => {
    expect((await end('moderated')).data).toMatchObject({ status: 'failed', code: 1200, outputs: [] });
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'moderated', bought: 'refunded' });
  });

  test('is flagged when its picture is withheld, and is paid', async () => {
    expect((await end('withheld')).data).toMatchObject({ status: 'completed', has_nsfw_contents: [true] });
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'withheld', bought: 'yes' });
  });

  test('is gone', async () => {
    const { data } = (await askWavespeed(sandbox(), QWEN, { prompt: 'a barn [sandbox:poll-gone]' })).json();
    const reply = await askWavespeed(sandbox(), `predictions/${data.id}/result`);
    expect([reply.status, reply.json().code]).toEqual([404, 404]);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'accepted', bought: 'yes' });
  });

  test.each([
    ['poll-forever', 'processing'],
    ['poll-unknown-status', 'paused'],
  ])('with %s stays %s', async (fault, status) => {
    const { data } = (await askWavespeed(sandbox(), QWEN, { prompt: `a barn [sandbox:${fault}]` })).json();
    for (let look = 0; look < 10; look += 1) {
      const reply = await askWavespeed(sandbox(), `predictions/${data.id}/result`);
      expect(reply.json().data).toMatchObject({ status, outputs: [] });
    }
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'accepted', bought: 'yes' });
  });

  test('cannot be looked at for a while', async () => {
    const prompt = 'a barn [sandbox:status=503 on=poll times=2]';
    const { data } = (await askWavespeed(sandbox(), QWEN, { prompt })).json();
    const look = async () => (await askWavespeed(sandbox(), `predictions/${data.id}/result`)).status;
    expect([await look(), await look(), await look()]).toEqual([503, 503, 200]);
  });
});

describe("a job of fal's queue", () => {
  const opened = async (fault: string): Promise<string> =>
    (await askFal(sandbox(), 'schnell', { prompt: `a barn [sandbox:${fault}]` })).json().request_id;

  test('is completed and has a failure for a result, and is not paid', async () => {
    const reply = await falResult(sandbox(), { prompt: 'a barn [sandbox:poll-failed]' });
    expect([reply.status, reply.json().detail[0].type]).toEqual([422, 'no_media_generated']);
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'failed', bought: 'refunded' });
  });

  test('is gone', async () => {
    const id = await opened('poll-gone');
    expect((await askFal(sandbox(), `requests/${id}/status`)).status).toBe(404);
    expect((await askFal(sandbox(), `requests/${id}`)).status).toBe(404);
  });

  test.each([
    ['poll-forever', 'IN_PROGRESS'],
    ['poll-unknown-status', 'PAUSED'],
  ])('with %s stays %s', async (fault, status) => {
    const id = await opened(fault);
    for (let look = 0; look < 10; look += 1) {
      expect((await askFal(sandbox(), `requests/${id}/status`)).json().status).toBe(status);
    }
    expect(onlyEntry(sandbox())).toMatchObject({ outcome: 'accepted', bought: 'yes' });
  });

  test('can be ill at each of its requests apart', async () => {
    const id = await opened('status=500 on=poll times=1][sandbox:html on=result times=1');
    const ask = async (path: string) => (await askFal(sandbox(), path)).status;
    expect([await ask(`requests/${id}/status`), await ask(`requests/${id}/status`)]).toEqual([500, 202]);
    expect(await ask(`requests/${id}/status`)).toBe(200);
    expect([await ask(`requests/${id}`), await ask(`requests/${id}`)]).toEqual([502, 200]);
  });
});

describe('the jobs that are kept', () => {
  /** A job with a picture of so many bytes, none of which is ever looked at. */
  function opened(jobs: Jobs, id: string, bytes: Buffer, edit: (image: SentPicture) => Edit): void {
    const order = { model: 'm', prompt: '', seed: 1, width: 1, height: 1, format: 'png', seconds: 1 } as const;
    const line = new Journal(undefined).write({
      ...{ vendor: 'wavespeed', model: 'm', vendorId: null, prompt: null, seed: 1, width: 1, height: 1, pictures: 1 },
      ...{ outcome: 'accepted', bought: 'yes', fault: null },
    });
    const image = new SentPicture(bytes, { width: 1, height: 1 }, false);
    jobs.open({ id, vendor: 'wavespeed', owner: 'k', order: { ...order, edit: edit(image) }, line, faults: [] });
  }
  const newJobs = () => new Jobs({ latency: 0, pendingLooks: 1, now: Date.now });
  const NOTHING = Buffer.alloc(0);
  const ids = (jobs: Jobs) => jobs.listOf('wavespeed', 'k').map(({ id }) => id);

  test('hold half a gibibyte of pictures, and the oldest are forgotten beyond that', () => {
    const jobs = newJobs();
    const bytes = Buffer.alloc(128 * 1024 * 1024);
    for (const id of ['a', 'b', 'c', 'd']) opened(jobs, id, bytes, (image) => ({ kind: 'general', image }));
    expect(ids(jobs)).toEqual(['d', 'c', 'b', 'a']);
    opened(jobs, 'e', bytes, (image) => ({ kind: 'general', image }));
    expect(ids(jobs)).toEqual(['e', 'd', 'c', 'b']);
    const [forgotten] = jobs.listOf('wavespeed', 'k');
    if (forgotten) jobs.forget(forgotten);
    opened(jobs, 'f', bytes, (image) => ({ kind: 'general', image }));
    expect(ids(jobs)).toEqual(['f', 'd', 'c', 'b']);
  });

  test('count every picture of an edit, wherever in it it is', () => {
    const jobs = newJobs();
    const half = new SentPicture(Buffer.alloc(256 * 1024 * 1024), { width: 1, height: 1 }, false);
    const light = { direction: null, reference: half, strength: 1 };
    const relight = (image: SentPicture): Edit => ({
      ...{ kind: 'relight', image, background: null, keepsBackground: false, preservation: 0 },
      light,
    });
    opened(jobs, 'a', NOTHING, relight);
    opened(jobs, 'b', NOTHING, (image) => ({ kind: 'inpaint', image, mask: half, growMask: 0 }));
    expect(ids(jobs)).toEqual(['b', 'a']);
    opened(jobs, 'c', Buffer.from('x'), (image) => ({ kind: 'general', image }));
    expect(ids(jobs)).toEqual(['c', 'b']);
  });
});
