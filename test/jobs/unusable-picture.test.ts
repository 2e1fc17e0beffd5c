import { describe, expect, test, vi } from 'vitest';
import type { Asset } from '../../src/assets/asset.ts';
import { DamagedAsset } from '../../src/assets/assets.service.ts';
import { PictureError } from '../../src/assets/pictures.ts';
import { canonicalEdit } from '../../src/catalog/edit-requests.ts';
import type { OperationRequest } from '../../src/estimates/job-request.ts';
import { ImageRun, type ImageRunParts } from '../../src/jobs/image-run.ts';
import type { ImageWork } from '../../src/jobs/image-work.ts';
import type { Job, JobImage } from '../../src/jobs/job.ts';
import { OptimizeRun, type OptimizeWork } from '../../src/jobs/optimize-run.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { LocalEventBus } from '../../src/platform/events.ts';
import { createLog } from '../../src/platform/log.ts';
import { Metrics } from '../../src/platform/metrics.ts';
import { Dispatcher } from '../../src/routing/dispatcher.ts';
import { RouteHealth } from '../../src/routing/health.ts';
import { canonicalOptimize } from '../../src/social/optimize-request.ts';
import { bookOf } from '../pricing/books.ts';
import { scene } from '../support/pixels.ts';

const SIZE = { width: 512, height: 512 };
const NEVER = new AbortController().signal;
const EDIT = canonicalEdit('asset_1', { general: { prompt: 'make it night' } });
const CUT = canonicalOptimize('asset_1', { formats: ['instagram-story', 'instagram-feed-square'] });

function workOf<Request extends OperationRequest>(
  request: Request,
  format: string | null = null,
): ImageWork & { readonly request: Request } {
  const job = { id: 'job_1', accountId: 'account_1', createdAt: new Date() } as Job;
  const image = { id: `image_${format}`, jobId: 'job_1', index: 0, run: 0, size: SIZE, format } as JobImage;
  const source = { id: 'asset_1', ...SIZE, contentType: 'image/png', byteCount: 1_000, transparent: false } as Asset;
  return { job, image, request, source };
}

/** The parts of a run whose picture is read by `read`; what becomes of the image is seen in `failImage` and `start`. */
function parts(read: () => Promise<Buffer>) {
  const clock = systemClock;
  const events = new LocalEventBus();
  const health = new RouteHealth(clock, events);
  const failImage = vi.fn(async (_id: string, _failure: unknown, _now: Date) => true);
  // Every attempt is answered as one of a job that another worker has taken over: nothing goes out.
  const start = vi.fn(async (_attempt: { routeId: string }) => false);
  const given: Partial<Record<keyof ImageRunParts, unknown>> = {
    assets: { read },
    store: { failImage },
    attempts: { ofImages: async () => [], start },
    serves: () => true,
    health,
    dispatcher: new Dispatcher(health, { stability: 1, wavespeed: 1, huggingface: 1, gemini: 1 }),
    patience: 1,
    owner: 'worker_1',
    log: createLog('silent'),
    metrics: new Metrics(),
    clock,
    events,
  };
  return { parts: given as unknown as ImageRunParts, health, failImage, start };
}

describe('an image whose picture is of no use', () => {
  const run = (all: ReturnType<typeof parts>) => new ImageRun(all.parts, workOf(EDIT), bookOf(), NEVER).run();

  test('ends free of charge with what is wrong with it, once no route can do with it', async () => {
    const read = vi.fn(() =>
      Promise.reject(new PictureError('TOO_LARGE', 'The picture cannot be brought under 9 bytes')),
    );
    const all = parts(read);
    await run(all);
    expect(read.mock.calls.length).toBeGreaterThan(1);
    expect(all.failImage.mock.calls).toEqual([
      [
        'image_null',
        {
          code: 'SOURCE_UNUSABLE',
          message: 'The picture cannot be brought under 9 bytes. It was not charged. Use another picture.',
        },
        expect.any(Date),
      ],
    ]);
    expect(all.start).not.toHaveBeenCalled();
  });

  test('goes on to the next route when only the first takes less than it is', async () => {
    const whole = await scene(SIZE.width, SIZE.height);
    const read = vi.fn(async () => whole);
    read.mockRejectedValueOnce(new PictureError('TOO_LARGE', 'The picture cannot be brought under 9 bytes'));
    const all = parts(read);
    await run(all);
    expect(all.start.mock.calls).toHaveLength(1);
    expect(all.failImage).not.toHaveBeenCalled();
  });

  test('ends when its bytes are damaged', async () => {
    const all = parts(() => Promise.reject(new DamagedAsset('asset_1', 'have changed')));
    await run(all);
    expect(all.failImage.mock.calls).toMatchObject([['image_null', { code: 'SOURCE_UNUSABLE' }, {}]]);
  });

  test('stays open when it is our storage that fails, which is held against no vendor', async () => {
    const all = parts(() => Promise.reject(new Error('EIO: i/o error, read')));
    await expect(run(all)).rejects.toThrow('EIO');
    expect(all.failImage).not.toHaveBeenCalled();
    expect(all.start).not.toHaveBeenCalled();
  });
});

describe('formats that are cut from a picture', () => {
  const works = CUT.formats.map((format): OptimizeWork => workOf(CUT, format));
  const run = (all: ReturnType<typeof parts>) => new OptimizeRun(all.parts, works, NEVER).run();

  test('all end free of charge when its bytes are damaged', async () => {
    const all = parts(() => Promise.reject(new DamagedAsset('asset_1', 'have changed')));
    await run(all);
    expect(all.failImage).toHaveBeenCalledTimes(2);
  });

  test('stay open when it is our storage that fails, for a day and not for ever', async () => {
    const all = parts(() => Promise.reject(new Error('EIO: i/o error, read')));
    await expect(run(all)).rejects.toThrow('EIO');
    expect(all.failImage).not.toHaveBeenCalled();

    const old = works.map((work) => ({ ...work, job: { ...work.job, createdAt: new Date(Date.now() - 86_400_001) } }));
    await new OptimizeRun(all.parts, old, NEVER).run();
    expect(all.failImage.mock.calls).toMatchObject([
      [expect.any(String), { code: 'DEADLINE_PASSED' }, expect.any(Date)],
      [expect.any(String), { code: 'DEADLINE_PASSED' }, expect.any(Date)],
    ]);
  });
});
