import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { askService, measured, onlyEntry, replyOf, useSandbox } from './ask.ts';
import { flat, maskOf, speckled } from './samples.ts';

const sandbox = useSandbox();

type Sent = Record<string, string | number | Buffer>;

const IMAGE = await speckled(96, 80);
const MASK = await maskOf(96, 80, 10, 10, 30, 30);

/** Every service below `edit` and `upscale`, with the least that it takes, and what that costs. */
const SERVICES: Record<string, { path: string; least: Sent; credits: number; seed: boolean }> = {
  erase: { path: 'edit/erase', least: { image: IMAGE, mask: MASK }, credits: 5, seed: true },
  inpaint: { path: 'edit/inpaint', least: { image: IMAGE, mask: MASK, prompt: 'a fox' }, credits: 5, seed: true },
  outpaint: { path: 'edit/outpaint', least: { image: IMAGE, left: 1 }, credits: 4, seed: true },
  'search-and-replace': {
    path: 'edit/search-and-replace',
    least: { image: IMAGE, prompt: 'a fox', search_prompt: 'the dog' },
    credits: 5,
    seed: true,
  },
  'search-and-recolor': {
    path: 'edit/search-and-recolor',
    least: { image: IMAGE, prompt: 'a fox', select_prompt: 'the dog' },
    credits: 5,
    seed: true,
  },
  'remove-background': { path: 'edit/remove-background', least: { image: IMAGE }, credits: 5, seed: false },
  'replace-background-and-relight': {
    path: 'edit/replace-background-and-relight',
    least: { subject_image: IMAGE, background_prompt: 'a beach' },
    credits: 8,
    seed: true,
  },
  fast: { path: 'upscale/fast', least: { image: IMAGE }, credits: 2, seed: false },
  conservative: { path: 'upscale/conservative', least: { image: IMAGE, prompt: 'a fox' }, credits: 40, seed: true },
  creative: { path: 'upscale/creative', least: { image: IMAGE, prompt: 'a fox' }, credits: 60, seed: true },
};
const NAMES = Object.keys(SERVICES);
const of = (name: string) => SERVICES[name] ?? expect.fail(`no service ${name}`);

const ask = (name: string, fields: Sent) => askService(sandbox(), of(name).path, { ...of(name).least, ...fields });

/** Asks with everything that a request needs, so that only what is in doubt can be refused; nothing is drawn. */
async function verdict(name: string, fields: Sent): Promise<string> {
  sandbox().faults.next('stability', 'no-funds');
  const reply = await ask(name, fields);
  sandbox().faults.clear();
  if (reply.status === 402) return 'accepted';
  const { name: error, errors } = reply.json();
  return `${reply.status} ${error} ${errors}`;
}

describe.each(NAMES)('%s', (name) => {
  const { path, least, credits, seed } = of(name);

  test('is served, journalled and debited at its price', async () => {
    const balance = async () => {
      const headers = { authorization: 'Bearer sk-good' };
      return (await replyOf(`${sandbox().origin}/v1/user/balance`, { headers })).json().credits;
    };
    const before = await balance();
    const reply = await ask(name, seed ? { seed: 42 } : {});
    expect(reply.status).toBe(200);
    expect(before - (await balance())).toBe(credits);
    const prompt = least.prompt ?? least.background_prompt ?? null;
    expect(onlyEntry(sandbox())).toMatchObject({
      vendor: 'stability',
      model: name,
      prompt,
      seed: seed ? 42 : null,
      pictures: 1,
      bought: 'yes',
    });
    if (reply.headers.get('content-type') === 'application/json') return;
    const { width, height } = await measured(reply.bytes);
    expect(onlyEntry(sandbox())).toMatchObject({ width, height, outcome: 'delivered' });
    expect(reply.headers.get('finish-reason')).toBe('SUCCESS');
    expect(reply.headers.get('seed')).toBe(seed ? '42' : null);
  });

  test.each(Object.keys(least))('is refused without %s', async (field) => {
    const { [field]: _, ...rest } = least;
    const reply = await askService(sandbox(), path, rest);
    expect([reply.status, reply.json().name, reply.json().errors]).toEqual([
      400,
      'bad_request',
      [expect.stringMatching(new RegExp(`^${field}: `))],
    ]);
    expect(onlyEntry(sandbox())).toMatchObject({ model: name, outcome: 'refused', bought: 'no' });
  });

  test('takes no text, no broken file and no GIF for a picture', async () => {
    const [image = 'image'] = Object.keys(least);
    const gif = await sharp(IMAGE).gif().toBuffer();
    const tiff = await sharp(IMAGE).tiff().toBuffer();
    for (const value of [
      'a picture',
      Buffer.from('GIF89a'),
      gif,
      tiff,
      IMAGE.subarray(0, IMAGE.length / 2),
      Buffer.alloc(0),
    ]) {
      expect(await verdict(name, { [image]: value })).toMatch(new RegExp(`^400 bad_request ${image}: `));
    }
  });

  test.each(['jpeg', 'webp', 'png'] as const)('takes a picture as %s', async (format) => {
    const [image = 'image'] = Object.keys(least);
    expect(await verdict(name, { [image]: await sharp(IMAGE).toFormat(format).toBuffer() })).toBe('accepted');
  });

  test('looks at the key first', async () => {
    const reply = await askService(sandbox(), path, {}, { key: 'sk-invalid' });
    expect([reply.status, reply.json().name]).toEqual([401, 'unauthorized']);
    expect(onlyEntry(sandbox())).toMatchObject({ model: name, outcome: 'refused', bought: 'no' });
  });

  test('takes nothing but a form', async () => {
    const headers = { authorization: 'Bearer sk-good', 'content-type': 'application/json' };
    const reply = await replyOf(`${sandbox().origin}/v2beta/stable-image/${path}`, {
      method: 'POST',
      headers,
      body: '{}',
    });
    expect([reply.status, reply.json().errors]).toEqual([400, ['content-type: must be multipart/form-data']]);
  });

  test('takes no more than ten mebibytes', async () => {
    const reply = await ask(name, { padding: Buffer.alloc(10 * 1024 * 1024) });
    expect([reply.status, reply.json().name]).toEqual([413, 'payload_too_large']);
  });
});

const IN_RANGE: Record<
  string,
  Record<string, [good: readonly (string | number)[], bad: readonly (string | number)[]]>
> = {
  erase: {
    grow_mask: [
      [0, 20],
      [-1, 21, 1.5, 'x'],
    ],
    seed: [
      [0, 4_294_967_294],
      [-1, 4_294_967_295],
    ],
  },
  inpaint: {
    grow_mask: [
      [0, 100],
      [-1, 101],
    ],
    prompt: [
      ['x', 'x'.repeat(10_000)],
      ['', 'x'.repeat(10_001)],
    ],
    negative_prompt: [['', 'x'.repeat(10_000)], ['x'.repeat(10_001)]],
    style_preset: [
      ['anime', 'tile-texture'],
      ['oil', ''],
    ],
    output_format: [
      ['png', 'jpeg', 'webp'],
      ['gif', 'PNG'],
    ],
  },
  outpaint: {
    left: [
      [0, 2000],
      [-1, 2001, 0.5],
    ],
    right: [[2000], [2001]],
    up: [[2000], [2001]],
    down: [[2000], [2001]],
    creativity: [
      [0, 0.5, 1],
      [-0.1, 1.1, 'high'],
    ],
    prompt: [['', 'x'.repeat(10_000)], ['x'.repeat(10_001)]],
    style_preset: [['origami'], ['oil']],
  },
  'search-and-replace': {
    grow_mask: [[0, 20], [21]],
    search_prompt: [['x'.repeat(10_000)], ['', 'x'.repeat(10_001)]],
    style_preset: [['anime'], ['oil']],
  },
  'search-and-recolor': {
    grow_mask: [[0, 20], [21]],
    select_prompt: [['x'.repeat(10_000)], ['', 'x'.repeat(10_001)]],
    negative_prompt: [['x'], ['x'.repeat(10_001)]],
  },
  'remove-background': { output_format: [['png', 'webp'], ['jpeg']], seed: [[], [1]] },
  'replace-background-and-relight': {
    background_prompt: [['x'.repeat(10_000)], ['x'.repeat(10_001)]],
    foreground_prompt: [['', 'x'], ['x'.repeat(10_001)]],
    negative_prompt: [['', 'x'], ['x'.repeat(10_001)]],
    preserve_original_subject: [
      [0, 1],
      [-0.1, 1.1],
    ],
    original_background_depth: [
      [0, 1],
      [-0.1, 1.1],
    ],
    keep_original_background: [
      ['true', 'false'],
      ['yes', 1],
    ],
    light_source_direction: [['left', 'right', 'above', 'below'], ['up']],
    seed: [[0, 4_294_967_294], [4_294_967_295]],
  },
  fast: { output_format: [['png', 'jpeg', 'webp'], ['gif']], seed: [[], [1]], prompt: [[], ['a fox']] },
  conservative: {
    creativity: [
      [0.2, 0.5],
      [0.19, 0.51],
    ],
    prompt: [['x'], ['', 'x'.repeat(10_001)]],
  },
  creative: {
    creativity: [
      [0.1, 0.5],
      [0.09, 0.51],
    ],
    style_preset: [['cinematic'], ['oil']],
    seed: [[1], [-1]],
  },
};

describe.each(Object.entries(IN_RANGE))('%s takes', (name, fields) => {
  test.each(Object.entries(fields))('%s within its range and not beyond', async (field, [good, bad]) => {
    // The one margin that is sent anyway, so that another may be nothing.
    const beside: Sent = name === 'outpaint' ? { down: field === 'down' ? 5 : 1 } : {};
    for (const value of good) expect(await verdict(name, { ...beside, [field]: value })).toBe('accepted');
    for (const value of bad) {
      expect(await verdict(name, { ...beside, [field]: value })).toMatch(new RegExp(`^400 bad_request ${field}: `));
    }
  });
});

describe('the size of a picture', () => {
  const GENERAL = [
    [64, 64, true],
    [63, 65, false],
    [3072, 3072, true],
    [3072, 3073, false],
  ] as const;
  const LIMITS: Record<string, readonly (readonly [number, number, boolean])[]> = {
    erase: [...GENERAL, [640, 64, true]],
    inpaint: GENERAL,
    ...Object.fromEntries(
      ['outpaint', 'search-and-replace', 'search-and-recolor', 'replace-background-and-relight', 'conservative'].map(
        (name) => [name, [...GENERAL, [160, 64, true], [161, 64, false], [64, 160, true], [64, 161, false]]],
      ),
    ),
    'remove-background': [
      [64, 64, true],
      [64, 63, false],
      [2048, 2048, true],
      [2048, 2049, false],
    ],
    fast: [
      [32, 32, true],
      [31, 64, false],
      [1536, 682, true],
      [1537, 600, false],
      [1024, 1024, true],
      [1024, 1025, false],
    ],
    creative: [
      [16, 256, true],
      [16, 255, false],
      [1024, 1024, true],
      [1024, 1025, false],
    ],
  };

  test.each(NAMES)('of %s may be up to the limit and not a pixel more', async (name) => {
    const [image = 'image'] = Object.keys(of(name).least);
    for (const [width, height, fits] of LIMITS[name] ?? []) {
      const asked = `${name} ${width}x${height}`;
      const answer = await verdict(name, { [image]: await flat(width, height, '#456') });
      expect(`${asked} ${answer}`).toMatch(new RegExp(`^${asked} ${fits ? 'accepted' : `400 bad_request ${image}: `}`));
    }
    expect(LIMITS[name]?.length).toBeGreaterThan(3);
  });
});

describe('what goes together', () => {
  test('an image without an alpha channel needs a mask', async () => {
    const image = await flat(80, 80, '#456');
    const alpha = await sharp(image).ensureAlpha(0.5).png().toBuffer();
    for (const name of ['erase', 'inpaint']) {
      const { mask: _, ...rest } = of(name).least;
      const reply = (fields: Sent) => askService(sandbox(), of(name).path, { ...rest, ...fields });
      expect((await reply({ image })).json().errors[0]).toMatch(/^mask: is required/);
      expect((await reply({ image: alpha })).status).toBe(200);
    }
  });

  test('at least one margin is more than nothing', async () => {
    expect(await verdict('outpaint', { left: 0, up: 0 })).toMatch(/^400 bad_request left: at least one of/);
    expect(await verdict('outpaint', { left: 0, up: 1 })).toBe('accepted');
  });

  test('a background is described or shown', async () => {
    const relight = (fields: Sent) =>
      askService(sandbox(), 'edit/replace-background-and-relight', { subject_image: IMAGE, ...fields });
    expect((await relight({})).json().errors[0]).toMatch(/^background_prompt: /);
    expect((await relight({ background_reference: IMAGE })).status).toBe(200);
  });

  test('the strength of a light needs a light', async () => {
    const name = 'replace-background-and-relight';
    expect(await verdict(name, { light_source_strength: 0.5 })).toMatch(/^400 bad_request light_source_strength: /);
    expect(await verdict(name, { light_source_strength: 0.5, light_source_direction: 'left' })).toBe('accepted');
    expect(await verdict(name, { light_source_strength: 0.5, light_reference: IMAGE })).toBe('accepted');
    expect(await verdict(name, { light_source_strength: 1.1, light_source_direction: 'left' })).toMatch(
      /^400 bad_request light_source_strength: /,
    );
  });

  test.each([
    ['erase', 'mask'],
    ['replace-background-and-relight', 'background_reference'],
    ['replace-background-and-relight', 'light_reference'],
  ])('%s takes no %s that is not a picture', async (name, field) => {
    expect(await verdict(name, { [field]: Buffer.from('x') })).toMatch(new RegExp(`^400 bad_request ${field}: `));
    expect(await verdict(name, { [field]: 'words' })).toMatch(new RegExp(`^400 bad_request ${field}: must be a file`));
  });

  test('everything that is wrong is said at once', async () => {
    const reply = await ask('inpaint', { prompt: '', grow_mask: 101, seed: -1 });
    expect(reply.json().errors).toHaveLength(3);
  });

  test.each([
    ['inpaint', 'prompt'],
    ['search-and-replace', 'search_prompt'],
    ['search-and-recolor', 'select_prompt'],
    ['replace-background-and-relight', 'background_prompt'],
  ])('%s understands no %s but English', async (name, field) => {
    expect(await verdict(name, { prompt: 'x', [field]: '雪の中の赤い狐が走っている' })).toMatch(
      /^422 invalid_language/,
    );
  });

  test('the answer is JSON when that is accepted, with a seed only where there is one', async () => {
    const json = async (name: string) =>
      (await askService(sandbox(), of(name).path, of(name).least, { headers: { accept: 'application/json' } })).json();
    expect(Object.keys(await json('erase'))).toEqual(['image', 'finish_reason', 'seed']);
    const { image, ...rest } = await json('remove-background');
    expect(rest).toEqual({ finish_reason: 'SUCCESS' });
    expect((await measured(Buffer.from(image, 'base64'))).format).toBe('png');
  });

  test('a service that answers at once refuses to answer as something else', async () => {
    const reply = await askService(sandbox(), 'edit/erase', of('erase').least, { headers: { accept: 'image/png' } });
    expect([reply.status, reply.json().errors[0]]).toEqual([400, expect.stringMatching(/^accept: /)]);
  });
});
