import type { LookupAddress } from 'node:dns';
import { isIP, type LookupFunction } from 'node:net';
import ipaddr from 'ipaddr.js';

export type GuardReason = 'url' | 'scheme' | 'userinfo' | 'port' | 'address' | 'redirect';

/** An address the house does not call. The message names what was wrong, never the whole URL: its query may be secret. */
export class GuardRefusal extends Error {
  override readonly name = 'GuardRefusal';

  constructor(
    readonly reason: GuardReason,
    message: string,
  ) {
    super(message);
  }
}

/** `host:port` pairs that are let through although they are private, on another port, or plain http. */
export type AllowList = ReadonlySet<string>;

/** @throws Error for an entry that is not `host:port`; that is a mistake in the configuration. */
export function parseAllowList(pairs: readonly string[]): AllowList {
  return new Set(
    pairs.map((pair) => {
      const [, host, port] = /^(.+):(\d{1,5})$/.exec(pair) ?? [];
      const url = host === undefined ? null : URL.parse(`http://${host}`);
      // Whatever else the text held, such as a login or a path, would show in the URL.
      if (!url || url.href !== `http://${url.hostname}/`) throw new Error(`not a host:port pair: ${pair}`);
      return `${url.hostname}:${Number(port)}`;
    }),
  );
}

/** `host:port` of a URL, with the scheme's own port where it names none: the form of the entries of an allow-list. */
export function hostAndPort(url: URL): string {
  const port = url.port === '' ? (url.protocol === 'https:' ? '443' : '80') : url.port;
  return `${url.hostname}:${port}`;
}

/**
 * Reads a URL and decides everything that can be decided before a name is resolved. The rule: a listed `host:port` may
 * be called over http or https; anything else only over https, on port 443, by name or by a public address. Plain http
 * is not for the open internet, because what comes back would be anyone's.
 *
 * It works on what the URL parser made of the text, so `http://2130706433`, `http://0x7f.1` and `http://①②⑦.⓪.⓪.①`
 * are all seen as 127.0.0.1. Names are checked later, by {@link guardLookup}.
 * @throws GuardRefusal
 */
export function checkUrl(text: string, allow: AllowList): URL {
  const url = URL.parse(text);
  if (!url) throw new GuardRefusal('url', 'not a URL');
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new GuardRefusal('scheme', `only https is called, not ${url.protocol}`);
  }
  if (url.username !== '' || url.password !== '') throw new GuardRefusal('userinfo', 'a URL must not carry a login');
  if (allow.has(hostAndPort(url))) return url;
  const address = literalAddress(url.hostname);
  if (address !== null && !isPublicAddress(address)) {
    throw new GuardRefusal('address', `${address} is not a public address`);
  }
  if (url.protocol !== 'https:') throw new GuardRefusal('scheme', 'only https is called, not http:');
  if (url.port !== '') throw new GuardRefusal('port', `port ${url.port} is not called`);
  return url;
}

/** The IP address that a URL names outright, or null where it gives a name. */
function literalAddress(hostname: string): string | null {
  const bare = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return isIP(bare) === 0 ? null : bare;
}

const GLOBAL_IPV6 = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Whether an address belongs to a host on the open internet. Everything is refused that is not known to be that, so a
 * range that is set aside tomorrow, or one that hides an IPv4 address inside an IPv6 one (mapped, NAT64, 6to4, Teredo),
 * does not slip through.
 */
export function isPublicAddress(address: string): boolean {
  if (isIP(address) === 0) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== 'unicast') return false;
  return parsed instanceof ipaddr.IPv4 || parsed.match(GLOBAL_IPV6);
}

/**
 * Resolves names through `lookup`, and refuses a name if any of its addresses is not public: choosing the public ones
 * would leave it to whoever owns the name which of them is called next. The socket connects to the very answer checked
 * here, so a second answer that differs from the first cannot come in between.
 *
 * Sockets skip this hook for literal addresses: {@link checkUrl} looks at those.
 */
export function guardLookup(lookup: LookupFunction): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, answer) => {
      if (error) return callback(error, []);
      const addresses: LookupAddress[] =
        typeof answer === 'string' ? [{ address: answer, family: isIP(answer) }] : [...answer];
      const [first] = addresses;
      if (!first) return callback(Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' }), []);
      const inside = addresses.find(({ address }) => !isPublicAddress(address));
      if (inside) {
        return callback(
          new GuardRefusal('address', `${hostname} leads to ${inside.address}, not a public address`),
          [],
        );
      }
      if (options.all) return callback(null, addresses);
      return callback(null, first.address, first.family);
    });
  };
}
