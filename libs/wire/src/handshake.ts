/**
 * The 68 bytes that open every connection (BEP 3): 19, the protocol's name,
 * eight reserved bytes, the info-hash, the peer id.
 */
export const HANDSHAKE_LENGTH = 68;

/** The length byte and the name; what tells BitTorrent from anything else. */
export const PROTOCOL_HEADER: Uint8Array = new Uint8Array([
  19,
  ...new TextEncoder().encode('BitTorrent protocol'),
]);

/** What the reserved bits offer. Bits that nobody here knows are ignored (BEP 4). */
export interface Capabilities {
  /** BEP 6. */
  readonly fast: boolean;
  /** BEP 10. */
  readonly extensions: boolean;
  /** BEP 5: knows the port message. */
  readonly dht: boolean;
  /** BEP 52: a hybrid torrent's peer that can speak v2. */
  readonly v2: boolean;
}

export interface Handshake {
  readonly capabilities: Capabilities;
  /** 20 bytes: v1's SHA-1, or v2's SHA-256 cut to 20. */
  readonly infoHash: Uint8Array;
  /** 20 bytes. */
  readonly peerId: Uint8Array;
}

export function encodeHandshake(handshake: Handshake): Uint8Array {
  const { capabilities, infoHash, peerId } = handshake;
  const bytes = new Uint8Array(HANDSHAKE_LENGTH);
  bytes.set(PROTOCOL_HEADER);
  if (capabilities.extensions) bytes[25] |= 0x10;
  if (capabilities.dht) bytes[27] |= 0x01;
  if (capabilities.fast) bytes[27] |= 0x04;
  if (capabilities.v2) bytes[27] |= 0x10;
  bytes.set(infoHash, 28);
  bytes.set(peerId, 48);
  return bytes;
}

/** Reads 68 bytes whose protocol header was seen to be right; the parts are copies. */
export function decodeHandshake(bytes: Uint8Array): Handshake {
  return {
    capabilities: {
      extensions: (bytes[25] & 0x10) !== 0,
      dht: (bytes[27] & 0x01) !== 0,
      fast: (bytes[27] & 0x04) !== 0,
      v2: (bytes[27] & 0x10) !== 0,
    },
    infoHash: bytes.slice(28, 48),
    peerId: bytes.slice(48, 68),
  };
}

/** Whether `bytes`, as far as they go, begin like a BitTorrent handshake. */
export function looksLikeHandshake(bytes: Uint8Array): boolean {
  const known = Math.min(bytes.length, PROTOCOL_HEADER.length);
  for (let i = 0; i < known; i++) {
    if (bytes[i] !== PROTOCOL_HEADER[i]) return false;
  }
  return true;
}

/** Equality of two byte strings; info-hashes and peer ids are public, so time does not matter. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
