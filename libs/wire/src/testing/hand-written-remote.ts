/** For specs: a remote whose bytes are written by hand. */
import { encodeHandshake } from '../handshake';
import { MessageId } from '../message-id';
import { INFO_HASH, RecordedPeer, type RecordedOptions } from './recorded-peer';

export const SHAPE = {
  pieceCount: 12,
  pieceLength: 32_768,
  length: 11 * 32_768 + 100,
};

export interface Bits {
  readonly fast?: boolean;
  readonly extensions?: boolean;
  readonly v2?: boolean;
}

export function hello(
  bits: Bits = {},
  infoHash = INFO_HASH,
  id = 0x7a,
): Uint8Array {
  return encodeHandshake({
    capabilities: {
      fast: bits.fast ?? true,
      extensions: bits.extensions ?? true,
      dht: false,
      v2: bits.v2 ?? false,
    },
    infoHash,
    peerId: new Uint8Array(20).fill(id),
  });
}

/** A peer with which a hand-written remote has shaken hands. */
export function met(
  bits: Bits = {},
  options: RecordedOptions = {},
): RecordedPeer {
  const peer = new RecordedPeer('incoming', { shape: SHAPE, ...options });
  peer.connection.receive(hello(bits), 0);
  peer.output();
  peer.log.length = 0;
  return peer;
}

export function message(
  id: number,
  ...payload: (number | Uint8Array)[]
): Buffer {
  const parts = payload.map((part) => {
    if (typeof part !== 'number') return part;
    const word = Buffer.alloc(4);
    word.writeUInt32BE(part >>> 0);
    return word;
  });
  const body = Buffer.concat([Buffer.from([id]), ...parts]);
  const head = Buffer.alloc(4);
  head.writeUInt32BE(body.length);
  return Buffer.concat([head, body]);
}

export function extended(id: number, payload: string | Uint8Array): Buffer {
  const bytes =
    typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload;
  return message(MessageId.extended, Buffer.concat([Buffer.from([id]), bytes]));
}

export const EXTENSIONS = extended(
  0,
  'd1:md11:lt_donthavei9e11:ut_metadatai3e6:ut_pexi5eee',
);

/** What a peer logs after these bytes. */
export function after(peer: RecordedPeer, ...bytes: Uint8Array[]): string[] {
  peer.log.length = 0;
  for (const each of bytes) peer.connection.receive(each, 0);
  return peer.log;
}
