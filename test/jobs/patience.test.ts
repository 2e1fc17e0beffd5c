import { expect, test } from 'vitest';
import { ROUTES } from '../../src/catalog/routes.ts';
import { callPatienceMs, imagePatienceMs } from '../../src/jobs/patience.ts';

test('every call has at least three times what its model usually needs, and none hangs for more than three minutes', () => {
  for (const route of ROUTES) {
    expect(callPatienceMs(route)).toBeGreaterThanOrEqual(3 * route.host.expectedSeconds * 1_000);
    expect(callPatienceMs(route)).toBeGreaterThanOrEqual(30_000);
    expect(callPatienceMs(route)).toBeLessThanOrEqual(180_000);
  }
});

test('an image has time for another call after the longest of its routes has hung to its end', () => {
  const longest = Math.max(...ROUTES.map(callPatienceMs));
  expect(imagePatienceMs(ROUTES)).toBe(2 * longest);
  expect(imagePatienceMs([])).toBe(60_000);
});
