import { Resolver, lookup as resolveWithSystem } from 'node:dns/promises';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import type { AttemptError } from '@indbakke/shared/api';
import { isNetwork } from '@indbakke/shared/config';
import { Problem } from '@indbakke/shared/errors';

/** Which hosts webhooks may have: none that only our own network reaches, unless the installation allows it. */
export interface Targets {
  /** Checks a URL when it is registered, with the addresses that its host has then. @throws Problem bad-request */
  check(url: string): Promise<void>;
  /** Whether a URL may be connected to: over https, and no refused address. Of the addresses of a name `lookup` decides. */
  isAllowed(url: URL): boolean;
  /** For connecting: finds the addresses of a name, and fails with an {@link AttemptError} as code when there is none to use. */
  readonly lookup: LookupFunction;
}

/** Finds the addresses of a name; none, or an error, when there is none. `isListed`: the installation has named it. */
export type Resolve = (host: string, isListed: boolean) => Promise<readonly string[]>;

/**
 * @param allow names of hosts, addresses and networks that are allowed all the same; over http too, if the URL names the host or
 *   address
 */
export function createTargets(allow: readonly string[], resolve: Resolve = findAddresses): Targets {
  const hosts = new Set(allow.filter((each) => !isNetwork(each)).map(normal));
  const networks = blockListOf(allow.filter(isNetwork));
  const isAllowedAddress = (address: string) => contains(networks, address) || isPublic(address);
  const isListed = (host: string) => hosts.has(host) || (isIP(host) !== 0 && contains(networks, host));
  const isEncrypted = ({ protocol, hostname }: URL) => protocol === 'https:' || isListed(normal(hostname));

  const addressesOf = async (name: string): Promise<readonly string[]> => {
    const host = normal(name);
    const addresses = isIP(host) === 0 ? await resolve(host, hosts.has(host)).catch(() => []) : [host];
    if (addresses.length === 0) throw refusal('name-unknown');
    if (!hosts.has(host) && !addresses.every(isAllowedAddress)) throw refusal('address-refused');
    return addresses;
  };

  return {
    isAllowed: (url) =>
      isEncrypted(url) && (isIP(normal(url.hostname)) === 0 || isAllowedAddress(normal(url.hostname))),
    lookup(name, { all }, callback) {
      addressesOf(name)
        .then((found) => found.map((address) => ({ address, family: isIP(address) })))
        .then(
          (found) => (all ? callback(null, found) : callback(null, found[0]?.address as string, found[0]?.family)),
          (error) => callback(error, []),
        );
    },
    async check(text) {
      const url = new URL(text);
      const fault = (detail: string) => new Problem('bad-request', `body.url: ${detail}`, { path: 'body.url' });
      if (!isEncrypted(url)) throw fault('must begin with https://.');
      const code = await addressesOf(url.hostname).catch((refused) => refused.code);
      // A name that has no address yet may get one; at each attempt it is checked again.
      if (code === 'address-refused') throw fault('must have a host with public addresses only.');
    },
  };
}

const refusal = (code: AttemptError) => Object.assign(new Error(code), { code });

const ANSWER_MS = 1_500;

/**
 * Asks the name servers, and the system (its hosts file, its search domains) only for what the installation names: the system
 * is asked on the few threads that the process has for that, and a name that is slow to resolve would keep them from everybody.
 */
export async function findAddresses(
  host: string,
  isListed: boolean,
  resolver = new Resolver({ timeout: ANSWER_MS, tries: 2 }),
): Promise<string[]> {
  if (isListed) return (await resolveWithSystem(host, { all: true })).map(({ address }) => address);
  if (/(^|\.)localhost$/.test(host)) return ['127.0.0.1', '::1'];
  const found = await Promise.allSettled([resolver.resolve4(host), resolver.resolve6(host)]);
  return found.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
}

/** A host as URLs have it, without the brackets of IPv6 or a dot at the end. */
const normal = (host: string) => host.toLowerCase().replace(/^\[|\]$|\.$/g, '');

const familyOf = (address: string) => (isIP(address) === 4 ? 'ipv4' : 'ipv6');

function blockListOf(all: readonly string[]): BlockList {
  const list = new BlockList();
  for (const each of all) {
    const [address = '', bits] = each.split('/');
    if (bits === undefined) list.addAddress(address, familyOf(address));
    else list.addSubnet(address, Number(bits), familyOf(address));
  }
  return list;
}

const contains = (list: BlockList, address: string) => list.check(withoutZone(address), familyOf(address));
const withoutZone = (address: string) => address.replace(/%.*$/, '');

// The IANA registries of special-purpose addresses, and the address at which Azure serves each machine its settings; those of
// other clouds are link-local or private.
const SPECIAL_IPV4 = blockListOf([
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '168.63.129.16/32',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/3',
]);
const GLOBAL_IPV6 = blockListOf(['2000::/3']);
// Teredo and others, documentation, 6to4 (RFC 7526 ends it), documentation.
const SPECIAL_IPV6 = blockListOf(['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20']);

function isPublic(address: string): boolean {
  if (isIP(address) === 4) return !SPECIAL_IPV4.check(address, 'ipv4');
  const inside = embeddedIpv4(address);
  if (inside !== undefined) return isPublic(inside);
  return contains(GLOBAL_IPV6, address) && !contains(SPECIAL_IPV6, address);
}

/** The IPv4 address that is really connected to: of ::ffff:0:0/96 (IPv4-mapped) and 64:ff9b::/96 (NAT64). */
function embeddedIpv4(address: string): string | undefined {
  const canonical = new URL(`http://[${withoutZone(address)}]`).hostname.slice(1, -1);
  const found = /^(?:::ffff|64:ff9b:):(?:(?:([0-9a-f]{1,4}):)?([0-9a-f]{1,4}))?$/.exec(canonical);
  if (!found) return undefined;
  const [high, low] = [found[1], found[2]].map((part) => Number.parseInt(part ?? '0', 16)) as [number, number];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
