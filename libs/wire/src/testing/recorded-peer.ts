/** For specs: one end of a connection whose events are written down in words. */
import type { Bitfield } from '@dnd/metainfo';
import type {
  LocalTorrent,
  LocalTorrents,
  RemoteHandshake,
} from '../connection-opening';
import type { RemoteExtensions } from '../extension-link';
import { sameBytes } from '../handshake';
import type { HashRange } from '../hash-message';
import type { HolepunchMessage } from '../holepunch-message';
import type { TorrentShape } from '../inbox';
import { obfuscatedHash } from '../mse/encrypted-handshake';
import {
  PeerConnection,
  type ConnectionEvents,
  type ConnectionOptions,
} from '../peer-connection';
import type { PeerEvents } from '../peer-link';
import type { PexMessage } from '../pex-message';
import type { PeerTimeoutError, ProtocolError } from '../protocol-error';

export const INFO_HASH = new Uint8Array(20).fill(0xaa);

export interface RecordedOptions extends Partial<ConnectionOptions> {
  /** Absent: the metadata is not known yet. */
  readonly shape?: TorrentShape;
  readonly have?: Bitfield;
  readonly torrent?: LocalTorrent;
  readonly torrents?: LocalTorrents;
}

export class RecordedPeer implements ConnectionEvents, PeerEvents {
  readonly log: string[] = [];
  readonly connection: PeerConnection;
  readonly failures: (ProtocolError | PeerTimeoutError)[] = [];
  readonly blocks = new Map<string, Uint8Array>();
  readonly pex: PexMessage[] = [];
  readonly hashes: [HashRange, Uint8Array][] = [];
  readonly metadata: Uint8Array[] = [];
  extensions: RemoteExtensions | undefined;
  remote: RemoteHandshake | undefined;
  outputs = 0;
  /** Whether blocks are wanted. */
  wants = true;
  readonly #options: RecordedOptions;

  constructor(role: 'outgoing' | 'incoming', given: RecordedOptions = {}) {
    this.#options = given;
    const options: ConnectionOptions = {
      peerId: new Uint8Array(20).fill(role === 'outgoing' ? 0x6f : 0x69),
      events: this,
      encryption: 'off',
      random: countingBytes(role === 'outgoing' ? 1 : 2),
      extensions: { client: 'Test 1' },
      now: 0,
      ...given,
    };
    const torrent = given.torrent ?? { infoHashV1: INFO_HASH };
    this.connection =
      role === 'outgoing'
        ? PeerConnection.outgoing(options, torrent)
        : PeerConnection.incoming(
            options,
            given.torrents ?? {
              find: (hash) => (hash[0] === INFO_HASH[0] ? torrent : undefined),
              findObfuscated: (hash) =>
                sameBytes(hash, obfuscatedHash(INFO_HASH))
                  ? INFO_HASH
                  : undefined,
            },
          );
  }

  /** The bytes that wait to be sent, joined. */
  output(): Buffer {
    return Buffer.concat(this.connection.takeOutput());
  }

  onHandshake(remote: RemoteHandshake): void {
    this.remote = remote;
    const { shape, have } = this.#options;
    if (shape !== undefined) this.connection.attach(this, shape);
    if (have !== undefined) this.connection.commands.bitfield(have);
  }

  onOutput(): void {
    this.outputs++;
  }

  onFailure(error: ProtocolError | PeerTimeoutError): void {
    this.failures.push(error);
    this.log.push(`failure ${error.code}`);
  }

  onChoke = (): void => this.#note('choke');
  onUnchoke = (): void => this.#note('unchoke');
  onInterested = (): void => this.#note('interested');
  onNotInterested = (): void => this.#note('not interested');
  onHave = (piece: number): void => this.#note('have', piece);
  onBitfield = (have: Bitfield): void =>
    this.#note('bitfield', Buffer.from(have.bytes).toString('hex'), have.count);
  onRequest = (...place: number[]): void => this.#note('request', ...place);
  onCancel = (...place: number[]): void => this.#note('cancel', ...place);
  onReject = (...place: number[]): void => this.#note('reject', ...place);
  onSuggest = (piece: number): void => this.#note('suggest', piece);
  onAllowedFast = (piece: number): void => this.#note('allowed fast', piece);
  onDontHave = (piece: number): void => this.#note('dont have', piece);

  blockTarget(
    piece: number,
    begin: number,
    length: number,
  ): Uint8Array | undefined {
    if (!this.wants) return undefined;
    const target = new Uint8Array(length);
    this.blocks.set(`${piece} ${begin}`, target);
    return target;
  }

  onBlock(piece: number, begin: number, length: number): void {
    const bytes = this.blocks.get(`${piece} ${begin}`) ?? new Uint8Array(0);
    let sum = 0;
    for (const byte of bytes) sum = (sum * 31 + byte) >>> 0;
    this.#note('block', piece, begin, length, sum);
  }

  onPort = (port: number): void => this.#note('port', port);

  onExtensions(remote: RemoteExtensions): void {
    this.extensions = remote;
    this.#note('extensions', remote.client ?? '-');
  }

  onMetadata(piece: number, size: number | undefined, bytes: Uint8Array): void {
    this.metadata.push(bytes.slice());
    this.#note('metadata', piece, size ?? '-', bytes.length);
  }

  onMetadataReject = (piece: number): void =>
    this.#note('metadata reject', piece);

  onPex(message: PexMessage): void {
    this.pex.push(message);
    this.#note('pex', message.added.length, message.dropped.length);
  }

  onUploadOnly = (is: boolean): void => this.#note('upload only', String(is));
  onHolepunch = (message: HolepunchMessage): void =>
    this.#note('holepunch', message.type, message.port);

  onHashRequest = (range: HashRange): void =>
    this.#note('hash request', range.index, range.length);
  onHashReject = (range: HashRange): void =>
    this.#note('hash reject', range.index, range.length);
  onHashes(range: HashRange, hashes: Uint8Array): void {
    this.hashes.push([range, hashes]);
    this.#note('hashes', range.index, hashes.length);
  }

  #note(...words: (string | number)[]): void {
    this.log.push(words.join(' '));
  }
}

/** Moves bytes both ways until nobody has any. */
export function exchange(a: RecordedPeer, b: RecordedPeer, now = 0): void {
  for (let round = 0; round < 100; round++) {
    const fromA = a.output();
    const fromB = b.output();
    if (fromA.length + fromB.length === 0) return;
    if (fromA.length > 0) b.connection.receive(fromA, now);
    if (fromB.length > 0) a.connection.receive(fromB, now);
  }
  throw new Error('the two never stop talking');
}

/** Bytes that look random and are the same each time. */
export function countingBytes(seed: number): (bytes: number) => Uint8Array {
  let state = seed >>> 0 || 1;
  return (length) => {
    const bytes = new Uint8Array(length);
    for (let i = 0; i < length; i++) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      bytes[i] = state >>> 24;
    }
    return bytes;
  };
}
