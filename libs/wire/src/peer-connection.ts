/**
 * One peer connection as a machine without I/O: encryption, handshake, messages
 * and extensions. The owner feeds `receive` with what comes from the socket,
 * sends what `takeOutput` hands out, calls `tick` at `wakeAt`, and closes the
 * socket after `onFailure`. Times are milliseconds of any clock that only goes
 * forward.
 *
 * Promises: any cutting of the bytes gives the same events; memory is bounded
 * whatever the remote sends; nothing of another torrent is disclosed. Leaves to
 * its owner: which requests are answered, how much is queued (`pendingOutput`;
 * take output only while the socket takes bytes), limits on connections.
 */
import { looksLikeHandshake, PROTOCOL_HEADER } from './handshake';
import {
  decodeHandshake,
  encodeHandshake,
  HANDSHAKE_LENGTH,
  sameBytes,
  type Handshake,
} from './handshake';
import { ExtensionLink } from './extension-link';
import type { ExtensionEvents, LocalExtensions } from './extension-link';
import { FrameReader } from './frame-reader';
import { Inbox, type InboxEvents, type TorrentShape } from './inbox';
import { MessageWriter } from './message-writer';
import { EncryptedHandshake } from './mse/encrypted-handshake';
import type { EncryptionPolicy } from './mse/encryption-policy';
import type { Rc4 } from './mse/rc4';
import { Outbox } from './outbox';
import type { PeerEvents } from './peer-link';
import { PeerTimeoutError, ProtocolError } from './protocol-error';

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

export interface RemoteHandshake extends Handshake {
  /** The torrent that both ends mean. */
  readonly torrent: LocalTorrent;
  /** The handshake was on the v2 info-hash. */
  readonly v2: boolean;
  /** All bytes are encrypted, not the handshake alone. */
  readonly encrypted: boolean;
}

export interface ConnectionEvents
  extends Omit<ExtensionEvents, 'onDontHave'>, Omit<InboxEvents, 'onExtended'> {
  /**
   * The handshake is over. Before this returns the owner calls `attach` and
   * `commands.bitfield` if it has the torrent's metadata; if it does not, the
   * connection says that it has no piece.
   */
  onHandshake(remote: RemoteHandshake): void;
  /** Bytes wait and none did before: take them soon, after the current call. */
  onOutput(): void;
  /** The connection is dead: close the socket. Nothing follows. */
  onFailure(error: ProtocolError | PeerTimeoutError): void;
}

export interface ConnectionOptions {
  /** 20 bytes, ours. */
  readonly peerId: Uint8Array;
  readonly events: ConnectionEvents;
  readonly encryption: EncryptionPolicy;
  /** Unpredictable bytes, for keys and pads. */
  readonly random: (bytes: number) => Uint8Array;
  readonly extensions: LocalExtensions;
  /** We run a DHT node (BEP 5). */
  readonly dht?: boolean;
  readonly now: number;
}

/** From the first byte to the end of the handshake, encryption included. */
const HANDSHAKE_TIMEOUT = 25_000;
const SILENCE_TIMEOUT = 240_000;
/** At each such step a keep-alive is sent if nothing else was since the last: a gap is less than two of them. */
const KEEP_ALIVE_STEP = 55_000;
/** Unread answers (blocks left out) after which the remote is not worth keeping. */
const MAX_PENDING_CONTROL = 2_097_152;

type Stage = 'detect' | 'encryption' | 'handshake' | 'messages' | 'closed';

export class PeerConnection {
  readonly commands: MessageWriter;
  readonly #options: ConnectionOptions;
  readonly #out: Outbox;
  readonly #inbox: Inbox;
  readonly #reader: FrameReader;
  /** Outgoing: the one torrent. Incoming: known with the handshake. */
  #torrent: LocalTorrent | undefined;
  readonly #torrents: LocalTorrents | undefined;
  #extensions: ExtensionLink | undefined;
  #stage: Stage;

  /** The beginning of an incoming stream, or the handshake so far. */
  readonly #opening = new Uint8Array(HANDSHAKE_LENGTH);
  #openingFill = 0;
  #encryption: EncryptedHandshake | undefined;
  /** Bytes of the encrypted handshake, which precede all others. */
  #raw: Uint8Array[] = [];
  #encrypt: Rc4 | undefined;
  #decrypt: Rc4 | undefined;
  #encryptedFor: Uint8Array | undefined;

  readonly #startedAt: number;
  #heardAt: number;
  #keepAliveAt = Infinity;
  #saidBefore = 0;
  #failure: ProtocolError | undefined;
  #constructed = false;

  /** Says hello at once: bytes are waiting when this returns. */
  static outgoing(
    options: ConnectionOptions,
    torrent: LocalTorrent,
  ): PeerConnection {
    return new PeerConnection(options, torrent, undefined);
  }

  static incoming(
    options: ConnectionOptions,
    torrents: LocalTorrents,
  ): PeerConnection {
    return new PeerConnection(options, undefined, torrents);
  }

  private constructor(
    options: ConnectionOptions,
    torrent: LocalTorrent | undefined,
    torrents: LocalTorrents | undefined,
  ) {
    this.#options = options;
    this.#torrent = torrent;
    this.#torrents = torrents;
    this.#startedAt = options.now;
    this.#heardAt = options.now;
    this.#out = new Outbox(() => this.#announceOutput());
    this.commands = new MessageWriter(this.#out);
    this.#inbox = new Inbox(this.commands, {
      onPort: (port) => options.events.onPort(port),
      onExtended: (bytes, from, to) =>
        this.#extensions?.receive(bytes, from, to),
      onHashRequest: (range) => options.events.onHashRequest(range),
      onHashes: (range, hashes) => options.events.onHashes(range, hashes),
      onHashReject: (range) => options.events.onHashReject(range),
    });
    this.#reader = new FrameReader(this.#inbox);
    this.#stage = 'detect';
    if (torrent !== undefined) this.#open(torrent);
    this.#constructed = true;
  }

  /** The remote's side of BEP 10, and our messages of its extensions; undefined where it does not know BEP 10. */
  get extensions(): ExtensionLink | undefined {
    return this.#extensions;
  }

  /** Bytes that wait to be taken; serve no more blocks while these are many. */
  get pendingOutput(): number {
    return this.#out.pending;
  }

  /** Bytes of blocks received and appended so far, for rates. */
  get downloadedPayload(): number {
    return this.#reader.payloadBytes;
  }

  get uploadedPayload(): number {
    return this.commands.payloadBytes;
  }

  get closed(): boolean {
    return this.#stage === 'closed';
  }

  /** The block that is on its way in, if one is. */
  get incomingBlock(): FrameReader['incoming'] {
    return this.#reader.incoming;
  }

  /** The current block's target is not written any more; the rest of it is read past. */
  dropIncomingBlock(): void {
    this.#reader.dropBlock();
  }

  /** When `tick` wants to be called next. */
  get wakeAt(): number {
    if (this.#stage === 'closed') return Infinity;
    if (this.#failure !== undefined) return -Infinity;
    if (this.#stage !== 'messages') return this.#startedAt + HANDSHAKE_TIMEOUT;
    return Math.min(this.#heardAt + SILENCE_TIMEOUT, this.#keepAliveAt);
  }

  /**
   * The torrent's metadata is known: facts about pieces go to `events` from now
   * on, beginning with what the remote said before.
   */
  attach(
    events: PeerEvents,
    shape: TorrentShape,
    infoBytes?: Uint8Array,
  ): void {
    this.#guard(() => this.#inbox.attach(events, shape));
    if (this.#extensions !== undefined && infoBytes !== undefined) {
      this.#extensions.metadata = infoBytes;
    }
  }

  /**
   * Bytes from the remote. The chunk may be reused after the call, and is
   * decrypted where it stands when the connection is encrypted.
   */
  receive(chunk: Uint8Array, now: number): void {
    if (this.#stage === 'closed') return;
    this.#heardAt = now;
    try {
      this.#raiseFailure();
      if (this.#decrypt !== undefined) this.#decrypt.apply(chunk);
      if (this.#stage === 'messages') this.#reader.read(chunk);
      else this.#readOpening(chunk);
      this.#raiseFailure();
      this.#checkBacklog();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** All bytes to send now, in order; empty when there are none. */
  takeOutput(): Uint8Array[] {
    const { pending } = this.#out;
    const chunks = this.#out.take();
    if (this.#encrypt !== undefined && pending > 0) {
      const joined = join(chunks, pending);
      this.#encrypt.apply(joined);
      chunks.length = 0;
      chunks.push(joined);
    }
    if (this.#raw.length === 0) return chunks;
    const raw = this.#raw;
    this.#raw = [];
    raw.push(...chunks);
    return raw;
  }

  tick(now: number): void {
    if (this.#stage === 'closed') return;
    try {
      this.#raiseFailure();
      this.#checkBacklog();
      if (this.#stage !== 'messages') {
        if (now >= this.#startedAt + HANDSHAKE_TIMEOUT) {
          throw new PeerTimeoutError('handshake');
        }
      } else if (now >= this.#heardAt + SILENCE_TIMEOUT) {
        throw new PeerTimeoutError('silent');
      } else if (now >= this.#keepAliveAt) this.#keepAlive(now);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The owner closes the connection: no event follows, no byte is taken or given. */
  close(): void {
    this.#stage = 'closed';
    this.#reader.stopped = true;
    this.#reader.dropBlock();
    this.#raw = [];
    this.#out.take();
  }

  /** Outgoing: says hello. */
  #open(torrent: LocalTorrent): void {
    const infoHash = wireHashes(torrent)[0];
    const hello = this.#hello(torrent, infoHash);
    const { encryption, random } = this.#options;
    if (encryption === 'off' || encryption === 'accepted') {
      this.#stage = 'handshake';
      this.#write(hello);
      return;
    }
    this.#stage = 'encryption';
    this.#encryption = new EncryptedHandshake(
      { role: 'initiator', infoHash, initialPayload: hello },
      encryption,
      random,
    );
    this.#raw.push(...this.#encryption.takeOutput());
  }

  #readOpening(chunk: Uint8Array): void {
    if (this.#stage === 'encryption') return this.#readEncryption(chunk);
    const limit =
      this.#stage === 'detect' ? PROTOCOL_HEADER.length : HANDSHAKE_LENGTH;
    const size = Math.min(limit - this.#openingFill, chunk.length);
    this.#opening.set(chunk.subarray(0, size), this.#openingFill);
    this.#openingFill += size;
    const seen = this.#opening.subarray(0, this.#openingFill);
    const rest = chunk.subarray(size);
    if (!looksLikeHandshake(seen)) return this.#expectEncryption(seen, rest);
    if (this.#openingFill < limit) return;
    if (this.#stage === 'detect') {
      if (this.#options.encryption === 'required') {
        throw new ProtocolError('encryption', 'a plaintext handshake');
      }
      this.#stage = 'handshake';
      return this.#readOpening(rest);
    }
    this.#onHandshake(decodeHandshake(this.#opening));
    if (rest.length > 0 && this.#reading) this.#reader.read(rest);
  }

  get #reading(): boolean {
    return this.#stage === 'messages';
  }

  /** An incoming stream that does not begin like BitTorrent: a key, or nothing we know. */
  #expectEncryption(seen: Uint8Array, rest: Uint8Array): void {
    const { encryption, random } = this.#options;
    const torrents = this.#torrents;
    if (
      this.#stage !== 'detect' ||
      torrents === undefined ||
      encryption === 'off'
    ) {
      throw new ProtocolError('handshake', 'this is not BitTorrent');
    }
    this.#stage = 'encryption';
    this.#encryption = new EncryptedHandshake(
      {
        role: 'responder',
        byObfuscatedHash: (hash) => torrents.findObfuscated(hash),
      },
      encryption,
      random,
    );
    this.#openingFill = 0;
    this.#readEncryption(seen.slice());
    if (rest.length > 0) this.#readEncryption(rest);
  }

  #readEncryption(chunk: Uint8Array): void {
    const encryption = this.#encryption;
    if (encryption === undefined) return;
    encryption.receive(chunk);
    const answer = encryption.takeOutput();
    if (answer.length > 0) {
      this.#raw.push(...answer);
      this.#announceOutput();
    }
    const { result } = encryption;
    if (result === undefined) return;
    this.#encryption = undefined;
    this.#encrypt = result.encrypt;
    this.#decrypt = result.decrypt;
    this.#encryptedFor = result.infoHash;
    this.#stage = 'handshake';
    if (result.rest.length > 0) this.#readOpening(result.rest);
  }

  #onHandshake(handshake: Handshake): void {
    const torrent = this.#agree(handshake);
    if (sameBytes(handshake.peerId, this.#options.peerId)) {
      throw new ProtocolError('self-connection', 'the peer id is ours');
    }
    const hashes = wireHashes(torrent);
    let { infoHash } = handshake;
    if (this.#torrents !== undefined) {
      // A hybrid's peer that can speak v2 is answered with the v2 hash (BEP 52).
      if (handshake.capabilities.v2) infoHash = hashes[hashes.length - 1];
      this.#write(this.#hello(torrent, infoHash));
    }
    this.#torrent = torrent;
    const { fast, extensions } = handshake.capabilities;
    this.commands.fast = fast;
    this.#inbox.fast = fast;
    this.#inbox.extensions = extensions;
    this.#inbox.hashes = torrent.infoHashV2 !== undefined;
    if (extensions) this.#extensions = this.#link(torrent);
    this.#stage = 'messages';
    this.#keepAliveAt = this.#heardAt + KEEP_ALIVE_STEP;
    this.#options.events.onHandshake({
      ...handshake,
      torrent,
      v2: isV2(torrent, infoHash),
      encrypted: this.#encrypt !== undefined,
    });
    if (this.#stage !== 'messages') return;
    if (!this.commands.begun) this.commands.nothing();
    this.#extensions?.sendHandshake();
  }

  /** The torrent that the remote's handshake means; throws where there is none. */
  #agree(handshake: Handshake): LocalTorrent {
    const { infoHash } = handshake;
    const torrent = this.#torrents
      ? this.#torrents.find(infoHash)
      : this.#torrent;
    const known =
      torrent !== undefined &&
      wireHashes(torrent).some((hash) => sameBytes(hash, infoHash));
    if (!known) throw new ProtocolError('unknown-torrent', 'in a handshake');
    const sealed = this.#encryptedFor;
    if (
      sealed !== undefined &&
      !wireHashes(torrent).some((hash) => sameBytes(hash, sealed))
    ) {
      throw new ProtocolError('handshake', 'encrypted for another torrent');
    }
    return torrent;
  }

  #link(torrent: LocalTorrent): ExtensionLink {
    const { events, extensions } = this.#options;
    const link = new ExtensionLink(
      this.commands,
      {
        onExtensions: (remote) => events.onExtensions(remote),
        onMetadata: (piece, size, bytes) =>
          events.onMetadata(piece, size, bytes),
        onMetadataReject: (piece) => events.onMetadataReject(piece),
        onPex: (message) => events.onPex(message),
        onUploadOnly: (uploadOnly) => events.onUploadOnly(uploadOnly),
        onHolepunch: (message) => events.onHolepunch(message),
        onDontHave: (piece) => this.#inbox.dontHave(piece),
      },
      extensions,
      torrent.private ?? false,
      () => this.#out.pending,
    );
    link.metadata = torrent.infoBytes;
    link.uploadOnly = torrent.uploadOnly ?? false;
    return link;
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

  #write(bytes: Uint8Array): void {
    const at = this.#out.reserve(bytes.length);
    this.#out.buffer.set(bytes, at);
    this.#out.written(bytes.length);
  }

  #keepAlive(now: number): void {
    if (this.commands.messages === this.#saidBefore) this.commands.keepAlive();
    this.#saidBefore = this.commands.messages;
    this.#keepAliveAt = now + KEEP_ALIVE_STEP;
  }

  #checkBacklog(): void {
    if (this.#out.pendingControl <= MAX_PENDING_CONTROL) return;
    throw new ProtocolError('output-overflow', 'answers that nobody reads');
  }

  #announceOutput(): void {
    if (this.#constructed && this.#stage !== 'closed') {
      this.#options.events.onOutput();
    }
  }

  /** Runs a call of the owner's; what the remote did wrong is told at the next `receive` or `tick`. */
  #guard(call: () => void): void {
    try {
      call();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#failure = error;
    }
  }

  #raiseFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  #fail(error: unknown): void {
    const wasClosed = this.#stage === 'closed';
    this.close();
    const known =
      error instanceof ProtocolError || error instanceof PeerTimeoutError;
    if (!known) throw error;
    if (!wasClosed) this.#options.events.onFailure(error);
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

function isV2(torrent: LocalTorrent, infoHash: Uint8Array): boolean {
  const { infoHashV2 } = torrent;
  return (
    infoHashV2 !== undefined && sameBytes(infoHashV2.subarray(0, 20), infoHash)
  );
}

function join(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const joined = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    joined.set(chunk, at);
    at += chunk.length;
  }
  return joined;
}
