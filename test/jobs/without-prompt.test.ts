import { expect, test } from 'vitest';
import { withoutPrompt } from '../../src/jobs/without-prompt.ts';

const PROMPT = 'a red fox in (deep) snow';

test.each([
  ['whole', `no: "${PROMPT}" is not allowed`, 'no: "[the prompt]" is not allowed'],
  ['more than once', `${PROMPT} | ${PROMPT}`, '[the prompt] | [the prompt]'],
  ['cut at the end of the message', 'the prompt was "a red fox in (d…', 'the prompt was "[the prompt]…'],
  ['not at all', 'Stability AI answered 503: try later', 'Stability AI answered 503: try later'],
  ['by chance, a few letters at its end', 'the vendor says a red…', 'the vendor says a red…'],
  ['as part of another word', `${PROMPT}ing and x${PROMPT}`, `${PROMPT}ing and x${PROMPT}`],
])('a message that repeats the prompt %s', (_, message, clean) => {
  expect(withoutPrompt(message, PROMPT)).toBe(clean);
});

test('a prompt of several lines is found in a message of one', () => {
  expect(withoutPrompt('no: a red fox in snow', ' a red\n\tfox  in snow ')).toBe('no: [the prompt]');
});

test('a prompt of nothing but spaces leaves the message as it is', () => {
  expect(withoutPrompt('a page of HTML', ' \n ')).toBe('a page of HTML');
});
