/** How far off a host is: this machine, its network, or anywhere. */
import { formatAddress } from '@dnd/tracker';
import { lookup } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { addressBytes } from './connections/endpoints';

export const Distance = {
  /** This machine. */
  here: 0,
  /** The local network. */
  near: 1,
  /** The Internet, or a name that may be anywhere. */
  far: 2,
} as const;
export type Distance = (typeof Distance)[keyof typeof Distance];

/** This machine, by its address. It may run many peers: here an address is not a person. */
export const isLocal = (host: string): boolean =>
  host.startsWith('127.') || host === '::1';

/** Addresses that are not routed over the Internet: private and link-local ones, and this machine's. */
export function isLan(host: string): boolean {
  if (isLocal(host)) return true;
  const address = addressBytes(host);
  if (!address) return false;
  const [first, second] = address;
  if (address.length === 16)
    return (first & 0xfe) === 0xfc || (first === 0xfe && second >> 6 === 2);
  return (
    first === 10 ||
    (first === 172 && second >> 4 === 1) ||
    (first === 192 && second === 168) ||
    (first === 169 && second === 254)
  );
}

/** Of an address, or of a host as URLs name it. */
export function distanceOf(host: string): Distance {
  if (/^(?:.+\.)?localhost\.?$/i.test(host)) return Distance.here;
  const bytes = addressBytes(host.replace(/^\[|(?:%.*)?\]?$/g, ''));
  if (!bytes) return Distance.far;
  const address = formatAddress(bytes, 0, bytes.length === 4 ? 4 : 16);
  // Whoever calls 0.0.0.0 or :: reaches this machine.
  if (isLocal(address) || /^0\.|^::$/.test(address)) return Distance.here;
  return isLan(address) ? Distance.near : Distance.far;
}

/** Looks a name up, but finds nothing where an address of it is refused: what it leads to is known only then. */
export function lookupUnless(
  refuse: (address: string) => Error | undefined,
): LookupFunction {
  return (host, options, done) =>
    lookup(host, options, (error, found, family) => {
      const addresses = error ? [] : [found].flat();
      const [refusal] = addresses.flatMap(
        (each) => refuse(typeof each === 'string' ? each : each.address) ?? [],
      );
      done(error ?? refusal ?? null, found, family);
    });
}
