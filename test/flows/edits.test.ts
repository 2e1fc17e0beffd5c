import sharp from 'sharp';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { expectLawsHold } from '../support/invariants.ts';
import {
  estimateOperation,
  onlyPicture,
  refusalsOf,
  runOperation,
  submitOperation,
  upload,
} from '../support/operations.ts';
import { type Area, at, cropped, differences, hueOf, maskOf, type Pixels, pixelsOf, scene } from '../support/pixels.ts';
import { open } from '../support/stories.ts';

const SIZE = { width: 512, height: 384 };
const AREA: Area = { left: 100, top: 80, width: 120, height: 90 };
const EVERYTHING: Area = { left: 0, top: 0, ...SIZE };

let gateway: TestGateway;
let key: string;
let picture: Buffer;
let before: Pixels;
let image: string;
let mask: string;
beforeAll(async () => {
  gateway = await startTestGateway();
  key = await open(gateway, { tier: 'PRO' });
  picture = await scene(SIZE.width, SIZE.height);
  before = await pixelsOf(picture);
  image = await upload(gateway, key, picture);
  mask = await upload(gateway, key, await maskOf(SIZE.width, SIZE.height, AREA));
});
beforeEach(() => gateway.sandbox?.faults.clear());
afterAll(async () => {
  await expectLawsHold(gateway.database.db);
  await gateway.stop();
});

type Input = Record<string, unknown>;
const edit = (input: Input, of = image) => runOperation(gateway, key, 'edit', of, input);
const edited = async (input: Input, of = image) => onlyPicture(await edit(input, of));
const refusals = (input: Input, of = image) => refusalsOf(gateway, key, 'edit', of, input);
const journalled = () => gateway.sandbox?.journal().length ?? 0;

const distance = (a: readonly number[], b: readonly number[]) =>
  Math.hypot(...a.map((value, channel) => value - (b[channel] ?? 0)));
const grown = (by: number): Area => ({
  left: AREA.left - by,
  top: AREA.top - by,
  width: AREA.width + 2 * by,
  height: AREA.height + 2 * by,
});

describe('an edit changes what was asked and nothing else', () => {
  test('removeBackground: the subject keeps its pixels, the background becomes transparent', async () => {
    const after = await pixelsOf(await edited({ removeBackground: {} }));
    expect([after.width, after.height]).toEqual([SIZE.width, SIZE.height]);
    expect(at(after, 5, 5)[3]).toBe(0);
    const subject = [Math.round(SIZE.width * 0.42), Math.round(SIZE.height * 0.5)] as const;
    expect(at(after, ...subject)).toEqual(at(before, ...subject));
  });

  test('removeBackground as WebP is transparent too, and a WebP', async () => {
    const webp = await edited({ removeBackground: { outputFormat: 'WEBP' } });
    expect(await sharp(webp).metadata()).toMatchObject({ format: 'webp', hasAlpha: true, ...SIZE });
  });

  test.each([0, 6])(
    'erase grown by %i pixels: no pixel outside of the mask changes, those inside do',
    async (growMask) => {
      const { inside, outside } = differences(
        before,
        await pixelsOf(await edited({ erase: { mask, growMask } })),
        grown(growMask),
      );
      expect(outside).toBe(0);
      expect(inside).toBeGreaterThan((AREA.width * AREA.height) / 4);
    },
  );

  test.each(['stability', 'wavespeed'])('inpaint at %s: no pixel outside of the grown mask changes', async (vendor) => {
    // A negative prompt is known to one of the two alone.
    const input = { prompt: 'a lamp', mask, growMask: 4, ...(vendor === 'stability' && { negativePrompt: 'people' }) };
    const job = await edit({ inpaint: input });
    expect(job.images[0]?.attempts[0]?.route).toMatch(new RegExp(`^${vendor}/`));
    const { inside, outside } = differences(before, await pixelsOf(await onlyPicture(job)), grown(4));
    expect(outside).toBe(0);
    expect(inside).toBeGreaterThan((AREA.width * AREA.height) / 2);
  });

  test('inpaint without a mask draws where the picture is transparent', async () => {
    const hole = await sharp({
      create: { width: AREA.width, height: AREA.height, channels: 4, background: '#ffffffff' },
    })
      .png()
      .toBuffer();
    const holed = await sharp(picture)
      .ensureAlpha()
      .composite([{ input: hole, left: AREA.left, top: AREA.top, blend: 'dest-out' }])
      .png()
      .toBuffer();
    const id = await upload(gateway, key, holed);
    const after = await pixelsOf(await edited({ inpaint: { prompt: 'a lamp', growMask: 0 } }, id));
    expect(at(after, AREA.left + 20, AREA.top + 20)[3]).toBe(255);
    expect(differences(before, after, AREA).outside).toBe(0);
  });

  test('a mask that is transparent somewhere marks that place, whatever its colours', async () => {
    const opaque = await sharp({ create: { ...SIZE, channels: 4, background: '#ffffffff' } })
      .png()
      .toBuffer();
    const hole = await sharp({
      create: { width: AREA.width, height: AREA.height, channels: 4, background: '#ffffffff' },
    })
      .png()
      .toBuffer();
    const byAlpha = await sharp(opaque)
      .composite([{ input: hole, left: AREA.left, top: AREA.top, blend: 'dest-out' }])
      .png()
      .toBuffer();
    const id = await upload(gateway, key, byAlpha);
    const { inside, outside } = differences(
      before,
      await pixelsOf(await edited({ erase: { mask: id, growMask: 0 } })),
      AREA,
    );
    expect(outside).toBe(0);
    expect(inside).toBeGreaterThan(0);
  });

  test('outpaint: the canvas grows by exactly the margins, and what was there stays', async () => {
    const margins = { left: 64, right: 30, up: 17, down: 101 };
    const bytes = await edited({ outpaint: { ...margins, prompt: 'more sky' } });
    const after = await pixelsOf(bytes);
    expect([after.width, after.height]).toEqual([SIZE.width + 94, SIZE.height + 118]);
    const kept = await cropped(bytes, { left: margins.left, top: margins.up, ...SIZE });
    expect(differences(before, kept, EVERYTHING)).toEqual({ inside: 0, outside: 0 });
  });

  test('searchRecolor: the hue moves where the words select, and nowhere else', async () => {
    const after = await pixelsOf(await edited({ searchRecolor: { selectPrompt: 'red', prompt: 'blue', growMask: 0 } }));
    const disc = [Math.round(SIZE.width * 0.42), Math.round(SIZE.height * 0.5)] as const;
    expect(Math.abs(hueOf(at(before, ...disc)) - hueOf(at(after, ...disc)))).toBeGreaterThan(90);
    for (const [x, y] of [
      [5, 5],
      [Math.round(SIZE.width * 0.77), Math.round(SIZE.height * 0.5)],
    ] as const)
      expect(at(after, x, y)).toEqual(at(before, x, y));
  });

  test('searchReplace: only what the words select is drawn anew', async () => {
    const after = await pixelsOf(
      await edited({ searchReplace: { searchPrompt: 'red', prompt: 'a yellow star', growMask: 0 } }),
    );
    const disc = [Math.round(SIZE.width * 0.42), Math.round(SIZE.height * 0.5)] as const;
    expect(at(after, ...disc)).not.toEqual(at(before, ...disc));
    expect(at(after, 5, 5)).toEqual(at(before, 5, 5));
  });

  test('relight, which its vendor does later: the background is another one, the size the same', async () => {
    const job = await edit({ relight: { backgroundPrompt: 'a beach at dusk', lightSourceDirection: 'LEFT' } });
    const after = await pixelsOf(await onlyPicture(job));
    expect([after.width, after.height]).toEqual([SIZE.width, SIZE.height]);
    expect(at(after, 5, 5)).not.toEqual(at(before, 5, 5));
    expect(job.images[0]?.attempts).toMatchObject([
      { route: 'stability/replace-background-and-relight', outcome: 'delivered' },
    ]);
  });

  test('relight takes background and light from assets', async () => {
    const green = await upload(
      gateway,
      key,
      await sharp({ create: { ...SIZE, channels: 3, background: '#10c020' } })
        .png()
        .toBuffer(),
    );
    const after = await pixelsOf(
      await edited({
        relight: {
          backgroundReference: green,
          lightReference: image,
          lightSourceStrength: 0,
          preserveOriginalSubject: 1,
        },
      }),
    );
    expect(Math.abs(hueOf(at(after, 4, 4)) - hueOf([0x10, 0xc0, 0x20]))).toBeLessThan(30);
  });

  test('general: the picture is recognisably the same, at exactly its size', async () => {
    const bytes = await edited({ general: { prompt: 'make it look like autumn' } });
    expect(await sharp(bytes).metadata()).toMatchObject({ format: 'png', ...SIZE });
    const after = await pixelsOf(bytes);
    // The green bar is right of the middle, the red disc left of it: nothing has moved.
    const disc = at(after, Math.round(SIZE.width * 0.42), Math.round(SIZE.height * 0.5));
    const ground = at(after, Math.round(SIZE.width * 0.93), Math.round(SIZE.height * 0.5));
    expect(disc).not.toEqual(ground);
    expect(differences(before, after, EVERYTHING).inside).toBeGreaterThan(0);
  });

  test.each(['JPEG', 'WEBP'] as const)('the result is a %s where that is asked for', async (outputFormat) => {
    const bytes = await edited({ searchRecolor: { selectPrompt: 'red', prompt: 'blue', outputFormat } });
    expect(await sharp(bytes).metadata()).toMatchObject({ format: outputFormat.toLowerCase(), ...SIZE });
  });
});

describe('a picture of another shape than a model draws', () => {
  test.each(['wavespeed', 'huggingface', 'gemini'])(
    'is extended for %s and cut back, so that everything stays in its place',
    async (vendor) => {
      const wide = await scene(1500, 500);
      const id = await upload(gateway, key, wide);
      for (const other of ['wavespeed', 'huggingface', 'gemini'].filter((name) => name !== vendor))
        gateway.sandbox?.faults.next(other as 'gemini', 'status=400', 1);
      const job = await edit({ general: { prompt: `a little warmer, at ${vendor}` } }, id);
      const bytes = await onlyPicture(job);
      expect(job.images[0]?.attempts.at(-1)?.route).toMatch(new RegExp(`^${vendor}/`));
      const after = await pixelsOf(bytes);
      expect([after.width, after.height]).toEqual([1500, 500]);
      // The edges of the red disc, from its middle to both sides: the colour changes where it did before.
      const row = 250;
      const middle = Math.round(1500 * 0.42);
      const radius = Math.round(500 * 0.22);
      const [disc, ground] = [at(after, middle, row), at(after, 20, row)];
      const isDisc = (x: number) => distance(at(after, x, row), disc) < distance(at(after, x, row), ground);
      expect([isDisc(middle - radius + 12), isDisc(middle + radius - 12)]).toEqual([true, true]);
      expect([isDisc(middle - radius - 12), isDisc(middle + radius + 12)]).toEqual([false, false]);
    },
  );
});

describe('what an edit costs', () => {
  test('is what the estimate said, with the routes, the lines and the quote that the mutation takes', async () => {
    const input = { searchRecolor: { selectPrompt: 'red', prompt: 'blue', seed: 9 } };
    const estimate = await estimateOperation(gateway, key, 'edit', image, input);
    expect(estimate).toMatchObject({
      credits: 4,
      size: SIZE,
      lines: [{ kind: 'PRICE', label: 'Edit, searchRecolor, size S', quantity: 1, credits: 4 }],
      routes: [{ id: 'stability/search-and-recolor' }],
      alternatives: [{ edit: 'general', mode: null, credits: 3, saves: 1 }],
      preflight: { ok: true, refusals: [] },
    });
    const job = await runOperation(gateway, key, 'edit', image, input, { quote: estimate.quote ?? undefined });
    expect(job.receipt).toMatchObject({ quoted: 4, held: 4, captured: 4, released: 0, settled: true });
    expect(job).toMatchObject({
      operation: 'EDIT',
      steps: [{ id: '', operation: 'EDIT', images: 1, delivered: 1, spent: 4 }],
    });
    expect(job.images[0]).toMatchObject({ source: { id: image }, asset: { cost: 4 } });
    const other = { searchRecolor: { selectPrompt: 'red', prompt: 'green', seed: 9 } };
    const { data } = await submitOperation(gateway, key, 'edit', image, other, { quote: estimate.quote ?? undefined });
    expect(data?.answer).toMatchObject({ refusals: [{ __typename: 'QuoteInvalid', reason: 'INPUT_CHANGED' }] });
  });

  test('without its picture is assumed to be that of size M, and no quote is given', async () => {
    const estimate = await estimateOperation(gateway, key, 'edit', null, { general: { prompt: 'warmer' } });
    expect(estimate).toMatchObject({
      credits: 4,
      quote: null,
      size: null,
      notes: ['The picture is not known yet: size M is assumed.'],
    });
  });

  test('includes our own preparation at no price: an AVIF is converted, a wide picture extended', async () => {
    const avif = await upload(
      gateway,
      key,
      await sharp(await scene(1500, 500))
        .avif({ effort: 0 })
        .toBuffer(),
    );
    const cut = await estimateOperation(gateway, key, 'edit', avif, { removeBackground: {} });
    expect(cut.lines).toEqual([
      expect.objectContaining({ kind: 'PRICE', credits: 3 }),
      {
        kind: 'PREPARATION',
        label: 'Source converted from image/avif to image/png for stability/remove-background',
        quantity: 1,
        credits: 0,
      },
    ]);
    expect(await onlyPicture(await edit({ removeBackground: {} }, avif))).toBeInstanceOf(Buffer);
  });

  test('includes that a picture with more bytes than a vendor takes is compressed for it', async () => {
    const noise = { type: 'gaussian', mean: 128, sigma: 60 } as const;
    const grainy = sharp({ create: { width: 1900, height: 1900, channels: 3, background: '#888', noise } });
    const heavy = await upload(gateway, key, await grainy.png().toBuffer());
    const cut = await estimateOperation(gateway, key, 'edit', heavy, { removeBackground: {} });
    expect(cut.lines[1]).toEqual({
      kind: 'PREPARATION',
      label: 'Source compressed to at most 9.5 MiB for stability/remove-background',
      quantity: 1,
      credits: 0,
    });
    const job = await edit({ removeBackground: {} }, heavy);
    expect(job).toMatchObject({ status: 'SUCCEEDED', images: [{ asset: { width: 1900, height: 1900 } }] });
  });

  test('is nothing when no vendor delivers: all of it is released', async () => {
    gateway.sandbox?.faults.next('stability', 'moderated', 1);
    const job = await edit({ searchReplace: { searchPrompt: 'red', prompt: 'something unfit' } });
    expect(job).toMatchObject({
      status: 'FAILED',
      images: [{ failure: { code: 'CONTENT_REFUSED' } }],
      receipt: { quoted: 4, held: 4, captured: 0, released: 4, settled: true },
    });
  });

  test('is the same when another vendor has to step in', async () => {
    gateway.sandbox?.faults.next('wavespeed', 'status=400', 2);
    const job = await edit({ inpaint: { prompt: 'a lamp', mask } });
    expect(job.images[0]?.attempts.at(-1)).toMatchObject({ route: 'stability/inpaint', outcome: 'delivered' });
    expect(job.receipt).toMatchObject({ quoted: 3, captured: 3, released: 0 });
  });
});

describe('a picture that no route takes is refused before anything is held', () => {
  const source = async (width: number, height: number) =>
    upload(
      gateway,
      key,
      await sharp({ create: { width, height, channels: 3, background: '#777' } })
        .png()
        .toBuffer(),
    );

  test.each([
    ['removeBackground', { removeBackground: {} }, [2049, 2048], 'at most 4,194,304 pixels'],
    ['searchReplace', { searchReplace: { searchPrompt: 'a', prompt: 'b' } }, [400, 158], 'sides of at most 2.5 to 1'],
    ['outpaint', { outpaint: { left: 1 } }, [3073, 3072], 'at most 9,437,184 pixels'],
    ['relight', { relight: { backgroundPrompt: 'a beach' } }, [63, 70], 'at least 64 pixels a side'],
  ] as const)('%s', async (_kind, input, [width, height], allowed) => {
    const id = await source(width, height);
    const ordered = journalled();
    const [refusal] = await refusals(input, id);
    expect(refusal).toMatchObject({ __typename: 'UnsupportedSource', source: { width, height }, allowed });
    expect(refusal?.message).toMatch(/A copy of \d+x\d+ would do\. Nothing was run and nothing was charged\./);
    expect(journalled()).toBe(ordered);
    // What the refusal says would do does.
    const { fits } = refusal as unknown as { fits: { width: number; height: number } };
    const copy = await source(fits.width, fits.height);
    expect((await estimateOperation(gateway, key, 'edit', copy, input)).preflight).toEqual({ ok: true, refusals: [] });
  });

  test.each([
    ['removeBackground', { removeBackground: {} }, [2048, 2048]],
    ['searchReplace', { searchReplace: { searchPrompt: 'a', prompt: 'b' } }, [400, 160]],
    ['relight', { relight: { backgroundPrompt: 'a beach' } }, [64, 64]],
  ] as const)('%s at the very limit runs', async (_kind, input, [width, height]) => {
    const job = await edit(input, await upload(gateway, key, await scene(width, height)));
    expect(job).toMatchObject({ status: 'SUCCEEDED', images: [{ size: { width, height }, asset: { width, height } }] });
  });

  test('a mask that marks nothing ends the image free of charge, and says what is wrong with it', async () => {
    const ordered = journalled();
    const black = await upload(gateway, key, await maskOf(SIZE.width, SIZE.height, { ...AREA, width: 0 }));
    const job = await edit({ erase: { mask: black } });
    const message = 'The mask marks nothing: it is black all over. It was not charged. Use another picture.';
    expect(job).toMatchObject({ status: 'FAILED', images: [{ failure: { code: 'SOURCE_UNUSABLE', message } }] });
    expect(journalled()).toBe(ordered);
  });

  test('a mask of another size is refused with both sizes', async () => {
    const other = await upload(gateway, key, await maskOf(SIZE.width, SIZE.height - 1, AREA));
    const [refusal] = await refusals({ erase: { mask: other } });
    expect(refusal).toMatchObject({
      __typename: 'UnsupportedSource',
      source: { width: SIZE.width, height: SIZE.height - 1 },
      fits: SIZE,
    });
    expect(refusal?.message).toContain('The mask is 512x383 and the picture is 512x384');
  });

  test('erasing needs to be told where', async () => {
    const [refusal] = await refusals({ erase: {} });
    expect(refusal).toMatchObject({ __typename: 'UnsupportedSource', source: SIZE, fits: null });
    expect(refusal?.message).toContain('Give the id of a mask');
  });

  test('options that no route can honour are refused, never dropped', async () => {
    for (const [input, option] of [
      [{ removeBackground: {} }, null],
      [{ inpaint: { prompt: 'a', mask, seed: 7 } }, null],
    ] as const)
      expect((await estimateOperation(gateway, key, 'edit', image, input)).preflight.refusals).toEqual(option ?? []);
    const seeded = await estimateOperation(gateway, key, 'edit', image, { inpaint: { prompt: 'a', mask, seed: 7 } });
    expect(seeded.routes.map(({ id }) => id)).toEqual(['stability/inpaint']);
  });

  test('a tier without the kind is told which tier has it', async () => {
    const customer = await open(gateway, { tier: 'FREE' });
    const theirs = await upload(gateway, customer, picture);
    const theirMask = await upload(gateway, customer, await maskOf(SIZE.width, SIZE.height, AREA));
    expect(await refusalsOf(gateway, customer, 'edit', theirs, { erase: { mask: theirMask } })).toMatchObject([
      { __typename: 'TierTooLow', feature: 'erase', requiredTier: 'BASIC' },
    ]);
  });
});

describe("another account's pictures", () => {
  test.each(['the picture', 'the mask', 'the reference'])('%s is answered as if it did not exist', async (which) => {
    const stranger = await open(gateway, { tier: 'PRO' });
    const theirs = await upload(gateway, stranger, picture);
    const missing = 'asset_01jd0000000000000000000000';
    const askFor = (id: string) => {
      if (which === 'the picture') return submitOperation(gateway, key, 'edit', id, { removeBackground: {} });
      const input = which === 'the mask' ? { erase: { mask: id } } : { relight: { backgroundReference: id } };
      return submitOperation(gateway, key, 'edit', image, input);
    };
    const [foreign, unknown] = [await askFor(theirs), await askFor(missing)];
    expect(foreign.errors?.[0]?.extensions).toMatchObject({
      code: 'NOT_FOUND',
      field: { 'the picture': 'image', 'the mask': 'mask', 'the reference': 'backgroundReference' }[which],
    });
    expect(foreign.errors?.[0]?.message.replace(theirs, missing)).toBe(unknown.errors?.[0]?.message);
    expect(unknown.errors?.[0]?.message).toMatch(
      /^(image|mask|backgroundReference): No asset with the id .* Nothing was run and nothing was charged\.$/,
    );
  });
});

describe('what is valid for nobody is an error that names field, value and limit', () => {
  test.each([
    ['no margin', { outpaint: {} }, 'outpaint'],
    ['a margin of 2001', { outpaint: { left: 2001 } }, 'left'],
    ['a negative margin', { outpaint: { left: -1 } }, 'left'],
    ['a mask grown by 21', { erase: { mask: 'x', growMask: 21 } }, 'growMask'],
    ['a mask grown by 101', { inpaint: { prompt: 'a', mask: 'x', growMask: 101 } }, 'growMask'],
    ['creativity 1.1', { outpaint: { left: 1, creativity: 1.1 } }, 'creativity'],
    ['an empty prompt', { general: { prompt: ' ' } }, 'prompt'],
    ['10,001 characters', { general: { prompt: 'x'.repeat(10_001) } }, 'prompt'],
    ['no background', { relight: {} }, 'backgroundPrompt'],
    ['strength without light', { relight: { backgroundPrompt: 'a', lightSourceStrength: 0.5 } }, 'lightSourceStrength'],
    ['an unknown style', { inpaint: { prompt: 'a', mask: 'x', stylePreset: 'baroque' } }, 'stylePreset'],
    ['a negative seed', { general: { prompt: 'a', seed: -1 } }, 'seed'],
  ])('%s', async (_, input, field) => {
    const ordered = journalled();
    const { data, errors } = await submitOperation(gateway, key, 'edit', image, input);
    expect(data).toBeNull();
    expect(errors?.[0]?.extensions).toMatchObject({ code: 'BAD_USER_INPUT', field });
    expect(errors?.[0]?.message).toContain('nothing was charged');
    expect(journalled()).toBe(ordered);
  });

  test('two kinds at once, or none, the schema itself refuses', async () => {
    for (const input of [{}, { removeBackground: {}, general: { prompt: 'a' } }]) {
      const { errors } = await submitOperation(gateway, key, 'edit', image, input);
      expect(errors?.[0]?.message).toMatch(/exactly one|Exactly one/);
    }
  });
});
