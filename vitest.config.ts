import { defineConfig, type TestProjectConfiguration } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** These replace modules for themselves, which must not be those of other files. */
const REPLACING = ['test/sandbox/gallery.test.ts', 'test/social/decode-once.test.ts'];

/** Folders whose files leave nothing behind them and measure nothing of their process, so that they may share one. */
const SHARING =
  'test/{accounts,catalog,credits,estimates,graph,jobs,pricing,providers,routing,sandbox,social,tiers}/**/*.test.ts';

/** Whole gateways, programs and browsers take longest: they start first, lest one of them is alone at the end. */
class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const isLong = ({ moduleId }: TestSpecification) => /\/test\/(flows|torture|web)\//.test(moduleId);
    return (await super.sort(files)).sort((a, b) => Number(isLong(b)) - Number(isLong(a)));
  }
}

function project(name: string, files: { include: string[]; exclude: string[]; isolate: boolean }) {
  return {
    // type-graphql loads graphql through CommonJS; without the alias tests would load it a second time as ES modules.
    resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
    test: {
      name,
      ...files,
      setupFiles: ['test/support/setup.ts'],
      pool: 'forks',
      testTimeout: 30_000,
      hookTimeout: 60_000,
    },
  } satisfies TestProjectConfiguration;
}

export default defineConfig({
  test: {
    globalSetup: ['test/support/global-setup.ts'],
    maxWorkers: 2,
    sequence: { sequencer: LongFirst },
    projects: [
      // To load all modules anew is most of the work of a short file.
      project('alone', { include: ['test/**/*.test.ts'], exclude: [SHARING], isolate: true }),
      project('replacing', { include: REPLACING, exclude: [], isolate: true }),
      project('sharing', { include: [SHARING], exclude: REPLACING, isolate: false }),
    ],
  },
});
