import { expect, test } from 'vitest';
import { vendorMessage } from '../../src/providers/vendor-message.ts';

const said = (body: unknown, secrets: string[] = []) =>
  vendorMessage(
    Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
    secrets,
  );

test.each<[string, unknown, string]>([
  ['Stability', { id: 'x', name: 'bad_request', errors: ['seed: too large', 'more'] }, 'seed: too large'],
  ['Stability, version 1', { id: 'x', name: 'unauthorized', message: 'no key' }, 'no key'],
  ['WaveSpeed', { code: 401, message: 'invalid authentication' }, 'invalid authentication'],
  ['HuggingFace', { error: 'Not Found' }, 'Not Found'],
  ['HuggingFace, a list', { error: ['first', 'second'] }, 'first'],
  ['fal', { detail: [{ loc: ['body'], msg: 'too large', type: 'value_error' }] }, 'too large'],
  ['fal, plain', { detail: 'Internal Server Error' }, 'Internal Server Error'],
  ['Gemini', { error: { code: 503, message: 'overloaded', status: 'UNAVAILABLE' } }, 'overloaded'],
  ['Gemini without words', { error: { code: 503, status: 'UNAVAILABLE' } }, 'UNAVAILABLE'],
  ['a JSON string', '"just words"', 'just words'],
  ['JSON that says nothing we look for', { hello: 1 }, '{"hello":1}'],
  ['empty explanations', { error: '', message: ' ', detail: 'this' }, 'this'],
  ['text', '  upstream connect error\r\n\treset  ', 'upstream connect error reset'],
  ['a page', '<!doctype html><html><head><title> 502 Bad\nGateway </title>', 'a page of HTML: 502 Bad Gateway'],
  ['a page without a title', '<html></html>', 'a page of HTML'],
  ['nothing', '', 'an empty answer'],
  ['a picture', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff, 0xfe]), '6 bytes that are not text'],
  ['control characters', 'a\u0000b\u001b[31mc', 'a b [31mc'],
  ['an inherited key', JSON.parse('{"__proto__":{"error":"x"},"message":"y"}'), 'y'],
])('the words of %s are found', (_whose, body, words) => expect(said(body)).toBe(words));

test('a message is never long, and an explanation nested beyond all sense is not looked for', () => {
  expect(said('x'.repeat(10_000))).toHaveLength(300);
  expect(said(`{"error":${'['.repeat(50)}"deep"${']'.repeat(50)}}`)).toMatch(/^\{"error":\[\[/);
  expect(said('x'.repeat(5_000_000))).toHaveLength(300);
});

test.each([
  ['our key', 'key sk-abc.def+ghi/jkl is wrong', 'key [redacted] is wrong'],
  ['our key, twice', 'sk-abc.def+ghi/jkl sk-abc.def+ghi/jkl', '[redacted] [redacted]'],
  [
    "somebody's Stability key",
    'Incorrect API key provided: sk-1234567890abcdef.',
    'Incorrect API key provided: [redacted].',
  ],
  ["somebody's HuggingFace token", 'token hf_AbCdEfGhIjKl', 'token [redacted]'],
  ["somebody's Google key", 'API key AIzaSyA-1234567890 expired', 'API key [redacted] expired'],
  ['a header', 'got authorization: Bearer abc.def.ghi', 'got authorization: [redacted]'],
  ['a query', 'GET /v1?key=abc&n=1&signature=xyz', 'GET /v1?key=[redacted]&n=1&signature=[redacted]'],
  ['a key where the line is cut', `${'x'.repeat(295)} sk-abc.def+ghi/jkl`, `${'x'.repeat(295)} [re…`],
])('%s is not repeated', (_what, body, shown) => expect(said(body, ['sk-abc.def+ghi/jkl'])).toBe(shown));

test('no secret at all blots out nothing', () => expect(said('plain words', [''])).toBe('plain words'));
