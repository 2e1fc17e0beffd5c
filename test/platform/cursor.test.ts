import { describe, expect, test } from 'vitest';
import { readCursor, writeCursor } from '../../src/platform/cursor.ts';
import { newId } from '../../src/platform/ids.ts';

const id = newId('job');
const cursor = writeCursor('jobs', id);

function refusalOf(after: string, list = 'jobs'): unknown {
  try {
    return readCursor(list, 'job', after);
  } catch (error) {
    return error;
  }
}

const refused = {
  code: 'BAD_USER_INPUT',
  details: { field: 'after', limit: expect.stringContaining('pageInfo.endCursor') },
};

describe('a cursor', () => {
  test('leads back to the thing it stands for', () => {
    expect(readCursor('jobs', 'job', cursor)).toBe(id);
  });

  test('is opaque, and needs no escaping', () => {
    expect(cursor).toMatch(/^[\w-]+$/);
    expect(cursor).not.toContain(id);
  });

  test('of another list is refused, even where ids are of the same kind', () => {
    expect(refusalOf(cursor, 'attempts')).toMatchObject(refused);
    expect(refusalOf(writeCursor('job', `s${id}`))).toMatchObject(refused);
    expect(refusalOf(writeCursor('xxxx', id))).toMatchObject(refused);
  });

  test('to a thing of another kind is refused', () => {
    expect(refusalOf(writeCursor('jobs', newId('asset')))).toMatchObject(refused);
  });

  test('in which any one character was changed, added or dropped leads to no other thing than a well-formed id', () => {
    for (let at = 0; at < cursor.length; at++) {
      expect(refusalOf(cursor.slice(0, at) + cursor.slice(at + 1))).toMatchObject(refused);
      for (const character of ['=', '\n', ' ', '!'])
        expect(refusalOf(cursor.slice(0, at) + character + cursor.slice(at))).toMatchObject(refused);
    }
  });

  test.each([
    '',
    ' ',
    '=',
    id,
    `jobs:${id}`,
    Buffer.from('jobs:').toString('base64url'),
    Buffer.from(`jobs:${id}' or 1=1 --`).toString('base64url'),
    Buffer.from(`jobs:${id}\0`).toString('base64url'),
    Buffer.from('jobs:job_123').toString('base64url'),
    `${cursor}=`,
    'A'.repeat(1_000_000),
    '🗼',
  ])('that we did not write is refused: %#', (after) => {
    expect(refusalOf(after)).toMatchObject(refused);
  });
});
