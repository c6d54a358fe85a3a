/** Addresses as text and as the bytes that messages carry: 4 or 16. */
import type { PeerAddress } from '@dnd/swarm';
import { formatAddress, parseAddress } from '@dnd/tracker';
import type { Endpoint } from '@dnd/wire';

/** Undefined when it is no address. */
export function addressBytes(host: string): Uint8Array | undefined {
  const bytes = new Uint8Array(16);
  const length = parseAddress(host, bytes);
  return length > 0 ? bytes.subarray(0, length) : undefined;
}

export const addressOf = ({ address, port }: Endpoint): PeerAddress => ({
  host: formatAddress(address, 0, address.length === 4 ? 4 : 16),
  port,
});

export function endpointOf(
  address: PeerAddress | undefined,
): Endpoint | undefined {
  const bytes = address && addressBytes(address.host);
  return bytes && { address: bytes, port: address.port };
}
