/**
 * Message-stream encryption's handshake, either end: Diffie-Hellman keys with
 * random pads, then, encrypted, a proof of the info-hash and the choice of
 * method. A machine without I/O: bytes in, `takeOutput` out, `result` when done.
 * It holds at most its input so far, which the protocol bounds at 67 KiB.
 *
 * Throws ProtocolError `encryption` for pads over 512 bytes, degenerate keys, a
 * verification constant that is not zero and methods that were not offered, and
 * `unknown-torrent` for an info-hash that is not here.
 */
import { createHash } from 'node:crypto';
import {
  readUint16,
  readUint32,
  writeUint16,
  writeUint32,
} from '../big-endian';
import { sameBytes } from '../handshake';
import { ProtocolError } from '../protocol-error';
import {
  PRIVATE_KEY_LENGTH,
  PUBLIC_KEY_LENGTH,
  publicKey,
  sharedSecret,
} from './diffie-hellman';
import {
  allowedMethods,
  chooseMethod,
  CryptoMethod,
  type EncryptionPolicy,
} from './encryption-policy';
import { Rc4 } from './rc4';

const MAX_PAD = 512;
const DISCARD = 1_024;
const VC_LENGTH = 8;

export interface EncryptionResult {
  readonly method: 'plaintext' | 'rc4';
  /** 20 bytes: the torrent that the encryption is about. */
  readonly infoHash: Uint8Array;
  /** The ciphers of the stream from here on; absent in plaintext. */
  readonly encrypt?: Rc4;
  readonly decrypt?: Rc4;
  /** Bytes that came after the handshake, already decrypted. */
  readonly rest: Uint8Array;
}

export type EncryptionRole =
  | {
      readonly role: 'initiator';
      readonly infoHash: Uint8Array;
      /** Sent encrypted with the handshake: the BitTorrent handshake. */
      readonly initialPayload: Uint8Array;
    }
  | {
      readonly role: 'responder';
      /** The info-hash whose SHA-1('req2', info-hash) this is. */
      readonly byObfuscatedHash: (hash: Uint8Array) => Uint8Array | undefined;
    };

export class EncryptedHandshake {
  result: EncryptionResult | undefined;
  readonly #role: EncryptionRole;
  readonly #policy: EncryptionPolicy;
  readonly #random: (bytes: number) => Uint8Array;
  readonly #privateKey: Uint8Array;
  #out: Uint8Array[] = [];
  #in = new Uint8Array(256);
  #from = 0;
  #to = 0;
  #step: () => boolean;

  #secret = new Uint8Array(0);
  #infoHash = new Uint8Array(0);
  /** What is looked for behind the pad, and where the search goes on. */
  #marker = new Uint8Array(0);
  #searched = 0;
  #encrypt: Rc4 | undefined;
  #decrypt: Rc4 | undefined;
  #method = 0;
  #skip = 0;

  constructor(
    role: EncryptionRole,
    policy: EncryptionPolicy,
    random: (bytes: number) => Uint8Array,
  ) {
    this.#role = role;
    this.#policy = policy;
    this.#random = random;
    this.#privateKey = random(PRIVATE_KEY_LENGTH);
    this.#step = () => this.#readKey();
    if (role.role === 'initiator') {
      this.#infoHash = role.infoHash.slice();
      this.#sendKey();
    }
  }

  /** Copies what it needs; nothing is read once there is a result. */
  receive(bytes: Uint8Array): void {
    this.#append(bytes);
    while (this.result === undefined && this.#step());
  }

  takeOutput(): Uint8Array[] {
    const out = this.#out;
    this.#out = [];
    return out;
  }

  #sendKey(): void {
    this.#out.push(publicKey(this.#privateKey), this.#pad());
  }

  #readKey(): boolean {
    if (this.#to - this.#from < PUBLIC_KEY_LENGTH) return false;
    const secret = sharedSecret(
      this.#privateKey,
      this.#take(PUBLIC_KEY_LENGTH),
    );
    if (secret === undefined) throw broken('a degenerate public key');
    this.#secret = new Uint8Array(secret);
    this.#searched = this.#from;
    if (this.#role.role === 'initiator') {
      this.#startCiphers('keyA', 'keyB');
      this.#sendOffer(this.#role.initialPayload);
      const marker = new Uint8Array(VC_LENGTH);
      this.#decrypt?.apply(marker);
      this.#marker = marker;
      this.#step = () => this.#find(() => this.#readChoice());
    } else {
      this.#sendKey();
      this.#marker = sha1('req1', this.#secret);
      this.#step = () => this.#find(() => this.#readTorrent());
    }
    return true;
  }

  /** Initiator: proof of secret and torrent, methods, no pad, and the payload. */
  #sendOffer(payload: Uint8Array): void {
    const proof = sha1('req2', this.#infoHash);
    xor(proof, sha1('req3', this.#secret));
    const offer = new Uint8Array(VC_LENGTH + 8 + payload.length);
    writeUint32(offer, VC_LENGTH, allowedMethods(this.#policy));
    writeUint16(offer, VC_LENGTH + 6, payload.length);
    offer.set(payload, VC_LENGTH + 8);
    this.#encrypt?.apply(offer);
    this.#out.push(sha1('req1', this.#secret), proof, offer);
  }

  /** Looks for the marker behind at most 512 bytes of pad. */
  #find(next: () => boolean): boolean {
    const { length } = this.#marker;
    for (; this.#searched + length <= this.#to; this.#searched++) {
      if (this.#searched - this.#from > MAX_PAD) break;
      const at = this.#searched;
      if (!sameBytes(this.#in.subarray(at, at + length), this.#marker)) {
        continue;
      }
      this.#from = at + length;
      this.#step = next;
      return true;
    }
    if (this.#searched - this.#from > MAX_PAD) {
      throw broken('no end of the pad within 512 bytes');
    }
    return false;
  }

  /** Responder: which torrent. */
  #readTorrent(): boolean {
    if (this.#role.role !== 'responder') return false;
    if (this.#to - this.#from < 20) return false;
    const proof = this.#take(20);
    xor(proof, sha1('req3', this.#secret));
    const infoHash = this.#role.byObfuscatedHash(proof);
    if (infoHash === undefined) {
      throw new ProtocolError('unknown-torrent', 'in an encrypted handshake');
    }
    this.#infoHash = infoHash.slice();
    this.#startCiphers('keyB', 'keyA');
    this.#step = () => this.#readOffer();
    return true;
  }

  /** Responder: verification constant, methods offered, length of a pad. */
  #readOffer(): boolean {
    if (this.#to - this.#from < VC_LENGTH + 6) return false;
    const offer = this.#takeDecrypted(VC_LENGTH + 6);
    for (let i = 0; i < VC_LENGTH; i++) {
      if (offer[i] !== 0) throw broken('verification failed');
    }
    this.#method = chooseMethod(this.#policy, readUint32(offer, VC_LENGTH));
    if (this.#method === 0) throw broken('no method in common');
    this.#skip = this.#padLength(readUint16(offer, VC_LENGTH + 4));
    this.#step = () => this.#readPayloadLength();
    return true;
  }

  /** Responder: past the pad, the length of the initial payload. */
  #readPayloadLength(): boolean {
    if (this.#to - this.#from < this.#skip + 2) return false;
    const tail = this.#takeDecrypted(this.#skip + 2);
    this.#skip = readUint16(tail, this.#skip);
    const pad = this.#pad();
    const answer = new Uint8Array(VC_LENGTH + 6 + pad.length);
    writeUint32(answer, VC_LENGTH, this.#method);
    writeUint16(answer, VC_LENGTH + 4, pad.length);
    answer.set(pad, VC_LENGTH + 6);
    this.#encrypt?.apply(answer);
    this.#out.push(answer);
    this.#step = () => this.#finish();
    return true;
  }

  /** Initiator: the method chosen and the length of a pad. */
  #readChoice(): boolean {
    if (this.#to - this.#from < 6) return false;
    const choice = this.#takeDecrypted(6);
    this.#method = readUint32(choice, 0);
    const one =
      this.#method === CryptoMethod.plaintext ||
      this.#method === CryptoMethod.rc4;
    if (!one || (this.#method & allowedMethods(this.#policy)) === 0) {
      throw broken(`method ${this.#method} chosen`);
    }
    this.#skip = this.#padLength(readUint16(choice, 4));
    this.#step = () => {
      if (this.#to - this.#from < this.#skip) return false;
      this.#takeDecrypted(this.#skip);
      this.#skip = 0;
      return this.#finish();
    };
    return true;
  }

  /** `#skip` bytes of initial payload are encrypted whatever the method. */
  #finish(): boolean {
    if (this.#to - this.#from < this.#skip) return false;
    const rest = this.#in.slice(this.#from, this.#to);
    const infoHash = this.#infoHash;
    if (this.#method === CryptoMethod.rc4) {
      this.#decrypt?.apply(rest);
      const encrypt = this.#encrypt;
      const decrypt = this.#decrypt;
      this.result = { method: 'rc4', infoHash, encrypt, decrypt, rest };
    } else {
      this.#decrypt?.apply(rest.subarray(0, this.#skip));
      this.result = { method: 'plaintext', infoHash, rest };
    }
    this.#in = new Uint8Array(0);
    return false;
  }

  #startCiphers(ours: 'keyA' | 'keyB', theirs: 'keyA' | 'keyB'): void {
    const { [ours]: encrypt, [theirs]: decrypt } = {
      keyA: sha1('keyA', this.#secret, this.#infoHash),
      keyB: sha1('keyB', this.#secret, this.#infoHash),
    };
    this.#encrypt = new Rc4(encrypt, DISCARD);
    this.#decrypt = new Rc4(decrypt, DISCARD);
  }

  #padLength(length: number): number {
    if (length > MAX_PAD) throw broken(`a pad of ${length} bytes`);
    return length;
  }

  #pad(): Uint8Array {
    return this.#random(readUint16(this.#random(2), 0) % (MAX_PAD + 1));
  }

  #take(length: number): Uint8Array {
    const taken = this.#in.slice(this.#from, this.#from + length);
    this.#from += length;
    return taken;
  }

  #takeDecrypted(length: number): Uint8Array {
    const taken = this.#take(length);
    this.#decrypt?.apply(taken);
    return taken;
  }

  #append(bytes: Uint8Array): void {
    const needed = this.#to + bytes.length;
    if (needed > this.#in.length) {
      const grown = new Uint8Array(Math.max(needed, this.#in.length * 2));
      grown.set(this.#in.subarray(0, this.#to));
      this.#in = grown;
    }
    this.#in.set(bytes, this.#to);
    this.#to = needed;
  }
}

/** SHA-1('req2', info-hash): by this a responder finds the torrent of an encrypted handshake. */
export function obfuscatedHash(infoHash: Uint8Array): Uint8Array {
  return sha1('req2', infoHash);
}

function sha1(label: string, ...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const hash = createHash('sha1').update(label);
  for (const part of parts) hash.update(part);
  return new Uint8Array(hash.digest());
}

function xor(into: Uint8Array, other: Uint8Array): void {
  for (let i = 0; i < into.length; i++) into[i] ^= other[i];
}

function broken(detail: string): ProtocolError {
  return new ProtocolError('encryption', detail);
}
