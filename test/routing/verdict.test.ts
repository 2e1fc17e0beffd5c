import { describe, expect, test } from 'vitest';
import { rejected } from '../../src/providers/outcome.ts';
import { type EndedCall, verdictOf } from '../../src/routing/verdict.ts';

describe('who is ill', () => {
  test.each<[string, EndedCall, string, number]>([
    ['a picture', { kind: 'delivered', picture: Buffer.alloc(0), seed: null }, 'NOBODY', 0],
    ['moderation', { kind: 'moderated', message: 'no', billed: true }, 'NOBODY', 0],
    ['a bad request', rejected('BAD_REQUEST', 'no'), 'NOBODY', 0],
    ['a picture too large', rejected('TOO_LARGE', 'no'), 'NOBODY', 0],
    ['no answer', { kind: 'unknown', message: 'reset' }, 'ROUTE', 0],
    ['no answer, and a time to stay away', { kind: 'unknown', message: '503', retryAfterSeconds: 7 }, 'ROUTE', 7],
    ['a broken picture', { kind: 'broken', message: 'half' }, 'ROUTE', 0],
    ['words instead of a picture', { kind: 'broken', message: 'I would rather not', inWords: true }, 'NOBODY', 0],
    ['a job that failed', { kind: 'failed', message: 'oops' }, 'ROUTE', 0],
    ['a call that we cut', { kind: 'cut' }, 'UNKNOWN', 0],
    ['nobody there', rejected('UNREACHABLE', 'refused'), 'HOST', 0],
    ['a wrong key', rejected('AUTHENTICATION', '401'), 'HOST', 60],
    ['no funds', rejected('OUT_OF_FUNDS', '402'), 'HOST', 60],
    ['a model that is forbidden', rejected('FORBIDDEN', '403'), 'ROUTE', 60],
    ['a model that is gone', rejected('MODEL_RETIRED', '404'), 'ROUTE', 300],
    ['too many calls', rejected('RATE_LIMITED', '429'), 'HOST', 10],
    ['too many calls, for so long', rejected('RATE_LIMITED', '429', 7), 'HOST', 7],
    ['too many calls of one model', rejected('RATE_LIMITED', '429', 7, 'MODEL'), 'ROUTE', 7],
    ['a model that is loading', rejected('NOT_READY', '503', 42), 'ROUTE', 42],
  ])('after %s', (_what, ended, ill, shutSeconds) => {
    expect(verdictOf(ended)).toMatchObject({ ill, shutSeconds });
  });

  test('is said in our words alone: a vendor may repeat its customers, or tell of our keys', () => {
    const secret = 'no such file /home/ops/key.json';
    for (const ended of [
      rejected('AUTHENTICATION', secret),
      rejected('RATE_LIMITED', secret, 7),
      { kind: 'unknown', message: secret },
      { kind: 'broken', message: secret },
      { kind: 'failed', message: secret },
    ] as const) {
      expect(verdictOf(ended).reason).toMatch(/^Its? [a-z' ,]+\.$|^What it sends /i);
      expect(verdictOf(ended).reason).not.toContain('ops');
    }
  });
});
