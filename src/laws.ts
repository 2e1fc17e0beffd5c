import { libraryLaws } from './assets/assets.laws.store.ts';
import { creditLaws } from './credits/credits.laws.store.ts';
import { jobLaws } from './jobs/jobs.laws.store.ts';
import type { Laws } from './platform/laws.ts';

/** Everything that must hold of what is written. */
export const ALL_LAWS: readonly Laws[] = [creditLaws, jobLaws, libraryLaws];
