import { beforeEach, describe, expect, it, vi } from 'vitest';
import { newId } from '../../src/platform/ids.ts';
import { deliveryServer, headersOf, SAFETY_HEADERS } from './delivery-server.ts';

const REFUSED = {
  error: {
    code: 'FORBIDDEN',
    message:
      'This address is not valid, or no longer. Ask the API for the url of the asset again and use the fresh one.',
  },
};

describe('a picture without the right to it', () => {
  const server = deliveryServer();

  const tampered: [string, (url: URL) => unknown][] = [
    ['another id', (url) => path(url, `/assets/${newId('asset')}`)],
    ['an upper-case id', (url) => path(url, `/assets/${server().asset.id.toUpperCase()}`)],
    ['an id that is none', (url) => path(url, '/assets/..%2f..%2fetc%2fpasswd')],
    ['an id with a NUL', (url) => path(url, `${url.pathname}%00`)],
    ['an id of 90 characters', (url) => path(url, `/assets/${'a'.repeat(90)}`)],
    ['a later expiry', (url) => shiftExpiry(url, 1)],
    ['an earlier expiry', (url) => shiftExpiry(url, -1)],
    ['an expiry spelt otherwise', (url) => set(url, 'expires', `0${url.searchParams.get('expires')}`)],
    ['an expiry in exponents', (url) => set(url, 'expires', '2e10')],
    ['no expiry', (url) => url.searchParams.delete('expires')],
    ['an empty expiry', (url) => set(url, 'expires', '')],
    ['two expiries', (url) => url.searchParams.append('expires', '2000000000')],
    ['no signature', (url) => url.searchParams.delete('signature')],
    ['an empty signature', (url) => set(url, 'signature', '')],
    ['two signatures', (url) => url.searchParams.append('signature', signatureOf(url))],
    ['a shortened signature', (url) => set(url, 'signature', signatureOf(url).slice(0, -1))],
    ['a lengthened signature', (url) => set(url, 'signature', `${signatureOf(url)}A`)],
    ['a signature with rubbish behind it', (url) => set(url, 'signature', `${signatureOf(url)}==`)],
    ['a signature of 4,000 characters', (url) => set(url, 'signature', 'A'.repeat(4_000))],
    ['the signature of another asset', (url) => set(url, 'signature', signatureOf(new URL(otherUrl)))],
  ];
  let otherUrl: string;
  beforeEach(async () => {
    otherUrl = server().urlOf(await server().keep());
  });

  const signatureOf = (url: URL) => url.searchParams.get('signature') ?? '';
  const path = (url: URL, pathname: string) => Object.assign(url, { pathname });
  const set = (url: URL, name: string, value: string) => url.searchParams.set(name, value);
  const shiftExpiry = (url: URL, by: number) =>
    set(url, 'expires', String(Number(url.searchParams.get('expires')) + by));

  async function expectRefused(url: URL): Promise<void> {
    const response = await fetch(url);
    expect(response.status).toBe(403);
    const { 'content-length': _length, ...headers } = headersOf(response);
    expect(headers).toEqual({
      ...SAFETY_HEADERS,
      'cache-control': 'no-store',
      'content-type': 'application/json; charset=utf-8',
    });
    expect(await response.json()).toEqual(REFUSED);
  }

  it.each(tampered)('refuses an address with %s', async (_what, tamper) => {
    const open = vi.spyOn(server().library.storage, 'open');
    const url = new URL(server().urlOf());
    tamper(url);
    await expectRefused(url);
    expect(open).not.toHaveBeenCalled();
  });

  it('refuses a signature in which any one character is another', async () => {
    const signature = signatureOf(new URL(server().urlOf()));
    for (let at = 0; at < signature.length; at++) {
      const url = new URL(server().urlOf());
      // The neighbour in the alphabet: for the last character it differs only in bits that decoding would drop.
      const other = signature[at] === 'A' ? 'B' : 'A';
      const changed = at === signature.length - 1 ? neighbour(signature.at(-1) ?? '') : other;
      set(url, 'signature', signature.slice(0, at) + changed + signature.slice(at + 1));
      const response = await server().app.inject(url.pathname + url.search);
      expect([at, response.statusCode]).toEqual([at, 403]);
    }
  });

  const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  const neighbour = (character: string) => ALPHABET[ALPHABET.indexOf(character) ^ 1] ?? '';

  it('opens an address until its second and refuses it from then on', async () => {
    const url = server().urlOf();
    const expires = Number(new URL(url).searchParams.get('expires'));
    server().library.now = new Date(expires * 1000 - 1);
    const last = await fetch(url);
    expect(last.status).toBe(200);
    expect(last.headers.get('cache-control')).toBe('private, max-age=1, immutable');
    server().library.now = new Date(expires * 1000);
    await expectRefused(new URL(url));
  });

  it('refuses a properly signed address of an asset that does not exist, in the same words', async () => {
    await expectRefused(new URL(server().library.service.signedUrl({ id: newId('asset') })));
  });
});
