/**
 * Peer exchange (BEP 11): which peers the sender is newly connected to and
 * which no longer. Reading is bounded and takes only whole entries with a port.
 */
import { asBytes, encode, type BencodeDictionary } from '@dnd/bencode';
import { readUint16, writeUint16 } from './big-endian';
import { decodeLoose } from './extension-message';

/** The flags of an added peer. */
export const PexFlag = {
  encryption: 0x01,
  /** Upload-only. */
  seed: 0x02,
  utp: 0x04,
  holepunch: 0x08,
  /** We dialled it, so it can be reached. */
  reachable: 0x10,
} as const;

export interface PexPeer {
  /** 4 or 16 bytes. */
  readonly address: Uint8Array;
  readonly port: number;
  /** Bits of `PexFlag`; 0 for a dropped peer. */
  readonly flags: number;
}

export interface PexMessage {
  readonly added: readonly PexPeer[];
  readonly dropped: readonly PexPeer[];
}

/** Entries taken of each list of one message. */
export const MAX_PEX_READ = 100;

export function encodePex(message: PexMessage): Uint8Array {
  const added4 = message.added.filter((peer) => peer.address.length === 4);
  const added6 = message.added.filter((peer) => peer.address.length === 16);
  const dropped4 = message.dropped.filter((peer) => peer.address.length === 4);
  const dropped6 = message.dropped.filter((peer) => peer.address.length === 16);
  return encode({
    added: pack(added4, 4),
    'added.f': Uint8Array.from(added4, (peer) => peer.flags),
    added6: pack(added6, 16),
    'added6.f': Uint8Array.from(added6, (peer) => peer.flags),
    dropped: pack(dropped4, 4),
    dropped6: pack(dropped6, 16),
  });
}

/** Undefined for what is no dictionary; wrong types and odd tails inside it are left out. */
export function decodePex(bytes: Uint8Array): PexMessage | undefined {
  const dictionary = decodeLoose(bytes)?.dictionary;
  if (dictionary === undefined) return undefined;
  const added: PexPeer[] = [];
  const dropped: PexPeer[] = [];
  unpack(dictionary, 'added', 4, added);
  unpack(dictionary, 'added6', 16, added);
  unpack(dictionary, 'dropped', 4, dropped);
  unpack(dictionary, 'dropped6', 16, dropped);
  return { added, dropped };
}

function pack(peers: readonly PexPeer[], addressLength: number): Uint8Array {
  const stride = addressLength + 2;
  const bytes = new Uint8Array(peers.length * stride);
  peers.forEach((peer, i) => {
    bytes.set(peer.address, i * stride);
    writeUint16(bytes, i * stride + addressLength, peer.port);
  });
  return bytes;
}

function unpack(
  dictionary: BencodeDictionary,
  key: string,
  addressLength: number,
  into: PexPeer[],
): void {
  const bytes = asBytes(dictionary.get(key));
  if (bytes === undefined) return;
  const flags = asBytes(dictionary.get(`${key}.f`));
  const stride = addressLength + 2;
  const count = Math.min(Math.floor(bytes.length / stride), MAX_PEX_READ);
  for (let i = 0; i < count; i++) {
    const at = i * stride;
    const port = readUint16(bytes, at + addressLength);
    if (port === 0) continue;
    into.push({
      address: bytes.slice(at, at + addressLength),
      port,
      flags: flags !== undefined && i < flags.length ? flags[i] : 0,
    });
  }
}
