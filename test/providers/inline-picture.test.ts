import { expect, test } from 'vitest';
import { base64Of, dataUriOf, jsonWithPictures } from '../../src/providers/inline-picture.ts';
import { sent } from './scripted-vendor.ts';

test('JSON with pictures is what it would be if they had been strings from the beginning', () => {
  const [one, two] = [sent('ä picture \u0000?>', 'image/webp'), sent('')];
  const twice = dataUriOf(one);
  const written = jsonWithPictures({
    a: twice,
    prompt: 'a “fox”\n\ud83e\udd8a',
    b: [twice, { data: base64Of(two) }],
    c: null,
  });
  const data = one.bytes.toString('base64');
  const uri = `data:image/webp;base64,${data}`;
  const strings = { a: uri, prompt: 'a “fox”\n\ud83e\udd8a', b: [uri, { data: '' }], c: null };
  expect(written.toString()).toBe(JSON.stringify(strings));
});

test.each([{}, { a: 1 }, [], 'text', null])('JSON without pictures is as ever: %j', (value) => {
  expect(jsonWithPictures(value).toString()).toBe(JSON.stringify(value));
});
