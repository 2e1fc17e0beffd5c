import { cpus } from 'node:os';
import { pathToFileURL } from 'node:url';
import sharp from 'sharp';
import type { SocialFormat } from '../../src/social/social-formats.ts';
import { median, rangeOf } from './servers.ts';

const ROUNDS = Number(process.env.BENCH_ROUNDS ?? 9);
const SIDE = 1536;
const PER_ROUND = 3;

/** What is delivered runs built. */
async function built<T>(path: string): Promise<T> {
  return import(pathToFileURL(`${import.meta.dirname}/../../dist/${path}`).href) as Promise<T>;
}
const { optimizePicture } = await built<typeof import('../../src/social/optimizer.ts')>('social/optimizer.js');
const { SOCIAL_FORMATS } = await built<typeof import('../../src/social/social-formats.ts')>('social/social-formats.js');

/** Ten of different sizes: nobody is spared work by meeting one twice. */
const TEN: readonly SocialFormat[] = [
  'instagram-feed-square',
  'instagram-feed-portrait',
  'instagram-story',
  'facebook-feed',
  'facebook-cover',
  'twitter-post',
  'twitter-header',
  'linkedin-company-cover',
  'youtube-thumbnail',
  'pinterest-pin',
].map((id) => {
  const format = SOCIAL_FORMATS.find((known) => known.id === id);
  if (!format) throw new Error(`there is no format ${id}`);
  return format;
});

/** Like a photograph in what it costs: large soft shapes, finer ones on them, and a little grain. */
async function photograph(): Promise<Buffer> {
  const layer = async (side: number, sigma: number) => {
    const noise = { type: 'gaussian', mean: 128, sigma } as const;
    const small = await sharp({ create: { width: side, height: side, channels: 3, background: '#808080', noise } })
      .png()
      .toBuffer();
    return sharp(small).resize(SIDE, SIDE, { kernel: 'cubic' }).removeAlpha().png().toBuffer();
  };
  const finer = await Promise.all([layer(48, 50), layer(384, 20), layer(SIDE, 4)]);
  return sharp(await layer(8, 70))
    .composite(finer.map((input) => ({ input, blend: 'overlay' as const })))
    .removeAlpha()
    .png()
    .toBuffer();
}

type Work = (png: Buffer) => Promise<readonly Buffer[]>;

const jpeg = { quality: 90, optimiseCoding: false } as const;

/** The same pictures as a few lines of sharp give them, with nothing looked at, limited or proven. */
const byHand: Work = async (png) => {
  const { data, info } = await sharp(png).toColourspace('srgb').raw().toBuffer({ resolveWithObject: true });
  return Promise.all(
    TEN.map(({ width, height }) => sharp(data, { raw: info }).resize(width, height).jpeg(jpeg).toBuffer()),
  );
};

const decodingEachTime: Work = (png) =>
  Promise.all(TEN.map(({ width, height }) => sharp(png).resize(width, height).jpeg(jpeg).toBuffer()));

const ours =
  (crop: 'CENTER' | 'SMART'): Work =>
  async (png) => {
    const made = await optimizePicture(async () => png, TEN, {
      crop,
      focalPoint: null,
      padding: null,
      outputFormat: 'JPEG',
    });
    return made.map(({ picture, failure }) => {
      if (!picture) throw new Error(failure.message);
      return picture.bytes;
    });
  };

interface Contender {
  readonly name: string;
  readonly work: Work;
}
const FLOOR: Contender = { name: 'by hand, decoded once', work: byHand };
const CONTENDERS: readonly Contender[] = [
  FLOOR,
  { name: 'optimizePicture, CENTER', work: ours('CENTER') },
  { name: 'optimizePicture, SMART', work: ours('SMART') },
  { name: 'by hand, decoded ten times', work: decodingEachTime },
];

interface Round {
  readonly milliseconds: number;
  readonly cpuMilliseconds: number;
}

async function measure(work: Work, png: Buffer): Promise<Round> {
  const [before, start] = [process.cpuUsage(), performance.now()];
  for (let i = 0; i < PER_ROUND; i++) await work(png);
  const { user, system } = process.cpuUsage(before);
  return {
    milliseconds: (performance.now() - start) / PER_ROUND,
    cpuMilliseconds: (user + system) / 1_000 / PER_ROUND,
  };
}

async function checkPictures({ name, work }: Contender, png: Buffer): Promise<number> {
  const pictures = await work(png);
  const sizes = await Promise.all(pictures.map((bytes) => sharp(bytes).metadata()));
  const isRight = TEN.every(({ width, height }, i) => sizes[i]?.width === width && sizes[i]?.height === height);
  if (!isRight) throw new Error(`${name} made pictures of other sizes`);
  return pictures.reduce((sum, { length }) => sum + length, 0);
}

/** Ten social formats of one PNG, against a hand-written pipeline that makes the same pictures with the same encoder. */
async function main(): Promise<void> {
  const png = await photograph();
  process.stdout.write(
    `\nten formats as JPEG of one ${SIDE}x${SIDE} PNG of ${png.length} bytes, ${ROUNDS} rounds of ${PER_ROUND}, interleaved\n` +
      `Node ${process.version}, sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}, ` +
      `${cpus().length} x ${cpus()[0]?.model}; command: npm run bench\n\n`,
  );
  const sizes = new Map<Contender, number>();
  for (const contender of CONTENDERS) sizes.set(contender, await checkPictures(contender, png));
  const rounds = new Map<Contender, Round[]>(CONTENDERS.map((contender) => [contender, []]));
  for (let round = -1; round < ROUNDS; round++) {
    for (const [{ work }, measured] of rounds) {
      const result = await measure(work, png);
      if (round >= 0) measured.push(result);
    }
  }
  const floor = rounds.get(FLOOR) ?? [];
  for (const [contender, measured] of rounds) {
    const ratios = measured.map((round, i) => (floor[i]?.milliseconds ?? Number.NaN) / round.milliseconds);
    const cpu = measured.map((round, i) => round.cpuMilliseconds / (floor[i]?.cpuMilliseconds ?? Number.NaN));
    const figures = [
      `${median(measured.map(({ milliseconds }) => milliseconds)).toFixed(0)} ms`.padStart(8),
      `${median(ratios).toFixed(3)}x as fast ${rangeOf(ratios, 3)}`.padStart(32),
      `CPU ${median(cpu).toFixed(2)}x ${rangeOf(cpu, 2)}`.padStart(24),
      `${sizes.get(contender)} bytes`.padStart(16),
    ];
    process.stdout.write(`${contender.name.padEnd(28)}${figures.join('  ')}\n`);
  }
}

await main();
