/**
 * The opening of a connection, from its first byte to the end of the BitTorrent
 * handshake: tells plain from encrypted, runs the encrypted handshake, finds
 * the torrent. Bytes in, `takeOutput` out; `receive` returns the result once it
 * is there. Throws ProtocolError.
 */
import {
  decodeHandshake,
  encodeHandshake,
  HANDSHAKE_LENGTH,
  looksLikeHandshake,
  PROTOCOL_HEADER,
  sameBytes,
  type Handshake,
} from './handshake';
import { EncryptedHandshake } from './mse/encrypted-handshake';
import type { EncryptionPolicy } from './mse/encryption-policy';
import type { Rc4 } from './mse/rc4';
import { ProtocolError } from './protocol-error';

/** The torrent of a connection, as far as the connection is concerned. */
export interface LocalTorrent {
  /** 20 bytes. */
  readonly infoHashV1?: Uint8Array;
  /** 32 bytes. */
  readonly infoHashV2?: Uint8Array;
  /** BEP 27: no peer exchange. */
  readonly private?: boolean;
  /** The info dictionary's bytes, to serve; absent while a magnet's metadata is awaited. */
  readonly infoBytes?: Uint8Array;
  /** BEP 21. */
  readonly uploadOnly?: boolean;
}

/** Whom an incoming connection may ask for. */
export interface LocalTorrents {
  /** The torrent with this hash of 20 bytes (v1, or v2 cut), if it takes peers. */
  find(infoHash: Uint8Array): LocalTorrent | undefined;
  /** The hash of 20 bytes whose `obfuscatedHash` this is. */
  findObfuscated(hash: Uint8Array): Uint8Array | undefined;
}

export interface OpeningOptions {
  /** 20 bytes, ours. */
  readonly peerId: Uint8Array;
  readonly encryption: EncryptionPolicy;
  /** Unpredictable bytes, for keys and pads. */
  readonly random: (bytes: number) => Uint8Array;
  /** We run a DHT node (BEP 5). */
  readonly dht?: boolean;
}

export interface RemoteHandshake extends Handshake {
  /** The torrent that both ends mean. */
  readonly torrent: LocalTorrent;
  /** The handshake was on the v2 info-hash. */
  readonly v2: boolean;
  /** All bytes are encrypted, not the handshake alone. */
  readonly encrypted: boolean;
}

export interface Opened {
  readonly remote: RemoteHandshake;
  /** The ciphers of what follows, if it is encrypted. */
  readonly encrypt: Rc4 | undefined;
  readonly decrypt: Rc4 | undefined;
  /** What came after the handshake, decrypted; valid as long as the chunk that was read. */
  readonly rest: Uint8Array;
}

export class ConnectionOpening {
  readonly #options: OpeningOptions;
  /** Outgoing: the one torrent. */
  readonly #dialled: LocalTorrent | undefined;
  /** Incoming: all that may be asked for. */
  readonly #offered: LocalTorrents | undefined;
  #stage: 'detect' | 'encryption' | 'handshake';
  readonly #bytes = new Uint8Array(HANDSHAKE_LENGTH);
  #fill = 0;
  #out: Uint8Array[] = [];
  #encryption: EncryptedHandshake | undefined;
  #encrypt: Rc4 | undefined;
  #decrypt: Rc4 | undefined;
  /** The info-hash that the encryption was about. */
  #sealedFor: Uint8Array | undefined;

  /** Outgoing when the torrent is known: says hello at once. */
  constructor(
    options: OpeningOptions,
    dialled: LocalTorrent | undefined,
    offered: LocalTorrents | undefined,
  ) {
    this.#options = options;
    this.#dialled = dialled;
    this.#offered = offered;
    this.#stage = 'detect';
    if (dialled !== undefined) this.#dial(dialled);
  }

  /** Bytes to send, ready for the wire. */
  takeOutput(): Uint8Array[] {
    const out = this.#out;
    this.#out = [];
    return out;
  }

  /** May change the chunk (decrypts where it stands). */
  receive(chunk: Uint8Array): Opened | undefined {
    if (this.#stage === 'encryption') return this.#readEncryption(chunk);
    this.#decrypt?.apply(chunk);
    return this.#read(chunk);
  }

  #dial(torrent: LocalTorrent): void {
    const infoHash = wireHashes(torrent)[0];
    const hello = this.#hello(torrent, infoHash);
    const { encryption, random } = this.#options;
    if (encryption === 'off' || encryption === 'accepted') {
      this.#stage = 'handshake';
      this.#out.push(hello);
      return;
    }
    this.#stage = 'encryption';
    this.#encryption = new EncryptedHandshake(
      { role: 'initiator', infoHash, initialPayload: hello },
      encryption,
      random,
    );
    this.#out.push(...this.#encryption.takeOutput());
  }

  /** Collects the handshake; whether it begins like one is seen at its first bytes. */
  #read(chunk: Uint8Array): Opened | undefined {
    const limit =
      this.#stage === 'detect' ? PROTOCOL_HEADER.length : HANDSHAKE_LENGTH;
    const size = Math.min(limit - this.#fill, chunk.length);
    this.#bytes.set(chunk.subarray(0, size), this.#fill);
    this.#fill += size;
    const seen = this.#bytes.subarray(0, this.#fill);
    const rest = chunk.subarray(size);
    if (!looksLikeHandshake(seen)) return this.#expectEncryption(seen, rest);
    if (this.#fill < limit) return undefined;
    if (this.#stage === 'handshake') return this.#finish(rest);
    if (this.#options.encryption === 'required') {
      throw new ProtocolError('encryption', 'a plaintext handshake');
    }
    this.#stage = 'handshake';
    return this.#read(rest);
  }

  /** An incoming stream that does not begin like BitTorrent: a key, or nothing we know. */
  #expectEncryption(seen: Uint8Array, rest: Uint8Array): Opened | undefined {
    const { encryption, random } = this.#options;
    const offered = this.#offered;
    const mayBe = this.#stage === 'detect' && encryption !== 'off';
    if (!mayBe || offered === undefined) {
      throw new ProtocolError('handshake', 'this is not BitTorrent');
    }
    this.#stage = 'encryption';
    this.#encryption = new EncryptedHandshake(
      {
        role: 'responder',
        byObfuscatedHash: (hash) => offered.findObfuscated(hash),
      },
      encryption,
      random,
    );
    this.#fill = 0;
    return this.#readEncryption(Buffer.concat([seen, rest]));
  }

  #readEncryption(chunk: Uint8Array): Opened | undefined {
    const encryption = this.#encryption;
    if (encryption === undefined) return undefined;
    encryption.receive(chunk);
    this.#out.push(...encryption.takeOutput());
    const { result } = encryption;
    if (result === undefined) return undefined;
    this.#encryption = undefined;
    this.#encrypt = result.encrypt;
    this.#decrypt = result.decrypt;
    this.#sealedFor = result.infoHash;
    this.#stage = 'handshake';
    return result.rest.length > 0 ? this.#read(result.rest) : undefined;
  }

  #finish(rest: Uint8Array): Opened {
    const handshake = decodeHandshake(this.#bytes);
    const torrent = this.#agree(handshake.infoHash);
    if (sameBytes(handshake.peerId, this.#options.peerId)) {
      throw new ProtocolError('self-connection', 'the peer id is ours');
    }
    let { infoHash } = handshake;
    if (this.#offered !== undefined) {
      // A hybrid's peer that can speak v2 is answered with the v2 hash (BEP 52).
      if (handshake.capabilities.v2) infoHash = lastOf(wireHashes(torrent));
      const hello = this.#hello(torrent, infoHash);
      this.#encrypt?.apply(hello);
      this.#out.push(hello);
    }
    const encrypted = this.#encrypt !== undefined;
    return {
      remote: { ...handshake, torrent, v2: isV2(torrent, infoHash), encrypted },
      encrypt: this.#encrypt,
      decrypt: this.#decrypt,
      rest,
    };
  }

  /** The torrent that the remote's handshake means; throws where there is none. */
  #agree(infoHash: Uint8Array): LocalTorrent {
    const torrent = this.#offered?.find(infoHash) ?? this.#dialled;
    if (torrent === undefined || !isOf(torrent, infoHash)) {
      throw new ProtocolError('unknown-torrent', 'in a handshake');
    }
    if (this.#sealedFor !== undefined && !isOf(torrent, this.#sealedFor)) {
      throw new ProtocolError('handshake', 'encrypted for another torrent');
    }
    return torrent;
  }

  #hello(torrent: LocalTorrent, infoHash: Uint8Array): Uint8Array {
    return encodeHandshake({
      capabilities: {
        fast: true,
        extensions: true,
        dht: this.#options.dht ?? false,
        v2: torrent.infoHashV2 !== undefined,
      },
      infoHash,
      peerId: this.#options.peerId,
    });
  }
}

/** The hashes of 20 bytes that stand for a torrent on the wire: v1's first, v2's (cut) last. */
export function wireHashes(torrent: LocalTorrent): Uint8Array[] {
  const hashes: Uint8Array[] = [];
  if (torrent.infoHashV1 !== undefined) hashes.push(torrent.infoHashV1);
  if (torrent.infoHashV2 !== undefined) {
    hashes.push(torrent.infoHashV2.subarray(0, 20));
  }
  return hashes;
}

function isOf(torrent: LocalTorrent, infoHash: Uint8Array): boolean {
  return wireHashes(torrent).some((hash) => sameBytes(hash, infoHash));
}

function isV2(torrent: LocalTorrent, infoHash: Uint8Array): boolean {
  const { infoHashV2 } = torrent;
  return (
    infoHashV2 !== undefined && sameBytes(infoHashV2.subarray(0, 20), infoHash)
  );
}

function lastOf(hashes: Uint8Array[]): Uint8Array {
  return hashes[hashes.length - 1];
}
