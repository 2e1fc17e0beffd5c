import { describe, expect, test } from 'vitest';
import { RouteHealth } from '../../src/routing/health.ts';
import { TestClock } from '../support/clock.ts';

const ROUTE = 'stability/core';

function observed() {
  const clock = new TestClock();
  const health = new RouteHealth(clock);
  const fail = () => health.note(ROUTE, { ok: false, seconds: null });
  const deliver = (seconds: number | null = 8) => health.note(ROUTE, { ok: true, seconds });
  return { clock, health, fail, deliver };
}

describe('a route', () => {
  test('that nobody has tried is well, and nothing is made up about it', () => {
    expect(observed().health.of(ROUTE)).toEqual({ healthy: true, successRate: null, seconds: null });
  });

  test('is ill after three failures in a row, and not before', () => {
    const { health, fail } = observed();
    fail();
    fail();
    expect(health.of(ROUTE).healthy).toBe(true);
    fail();
    expect(health.of(ROUTE).healthy).toBe(false);
  });

  test('that delivers in between is well: the failures must be in a row', () => {
    const { health, fail, deliver } = observed();
    for (let round = 0; round < 10; round++) {
      fail();
      fail();
      deliver();
    }
    fail();
    fail();
    expect(health.of(ROUTE).healthy).toBe(true);
  });

  test('is given another chance half a minute after its last failure, and is ill again at the next', () => {
    const { clock, health, fail } = observed();
    fail();
    fail();
    fail();
    clock.advance(29.999);
    expect(health.of(ROUTE).healthy).toBe(false);
    clock.advance(0.001);
    expect(health.of(ROUTE).healthy).toBe(true);
    fail();
    expect(health.of(ROUTE).healthy).toBe(false);
  });

  test('recovers at once when it delivers', () => {
    const { health, fail, deliver } = observed();
    for (let count = 0; count < 10; count++) fail();
    deliver();
    expect(health.of(ROUTE)).toMatchObject({ healthy: true });
  });

  test('says nothing about another', () => {
    const { health, fail } = observed();
    for (let count = 0; count < 3; count++) fail();
    expect(health.of('stability/ultra').healthy).toBe(true);
  });
});

describe('what was seen lately', () => {
  test('weighs more than what was seen long ago', () => {
    const { health, deliver, fail } = observed();
    deliver(10);
    expect(health.of(ROUTE)).toMatchObject({ successRate: 1, seconds: 10 });
    deliver(20);
    expect(health.of(ROUTE).seconds).toBeCloseTo(12, 10);
    fail();
    expect(health.of(ROUTE).successRate).toBeCloseTo(0.8, 10);
  });

  test('counts seconds of delivered pictures only', () => {
    const { health, deliver, fail } = observed();
    fail();
    expect(health.of(ROUTE)).toMatchObject({ successRate: 0, seconds: null });
    deliver(null);
    expect(health.of(ROUTE).seconds).toBeNull();
    deliver(5);
    fail();
    expect(health.of(ROUTE).seconds).toBe(5);
  });

  test('stays a share between 0 and 1 for ever', () => {
    const { health, deliver, fail } = observed();
    for (let count = 0; count < 1000; count++) (count % 3 === 0 ? deliver : fail)();
    const { successRate } = health.of(ROUTE);
    expect(successRate).toBeGreaterThan(0);
    expect(successRate).toBeLessThan(1);
  });
});
