import { isIP } from 'node:net';
import { isLocal } from '../distance';

/**
 * The address from which a connection `to` another should leave at a node that listens on `host`;
 * undefined leaves it to the system. Whoever listens on one address leaves from it, so that a peer is
 * one address, whichever end dials: others take a second connection from another address for a second
 * peer, and refuse it as soon as they see that it is not.
 */
export function leavingAddress(host: string, to: string): string | undefined {
  const isOne = isIP(host) !== 0 && host !== '0.0.0.0' && host !== '::';
  // The system itself leaves from there, and a port that it need not bind first is had sooner.
  if (!isOne || host === '127.0.0.1') return undefined;
  const isReached = isIP(to) === isIP(host) && isLocal(to) === isLocal(host);
  return isReached ? host : undefined;
}
