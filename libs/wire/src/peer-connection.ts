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
import {
  ConnectionOpening,
  type LocalTorrent,
  type LocalTorrents,
  type Opened,
  type OpeningOptions,
  type RemoteHandshake,
} from './connection-opening';
import { ExtensionLink } from './extension-link';
import type { ExtensionEvents, LocalExtensions } from './extension-link';
import { FrameReader } from './frame-reader';
import { Inbox, type InboxEvents, type TorrentShape } from './inbox';
import { MessageWriter } from './message-writer';
import type { Rc4 } from './mse/rc4';
import { Outbox } from './outbox';
import type { PeerEvents } from './peer-link';
import { PeerTimeoutError, ProtocolError } from './protocol-error';

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

export interface ConnectionOptions extends OpeningOptions {
  readonly events: ConnectionEvents;
  readonly extensions: LocalExtensions;
  readonly now: number;
}

/** From the first byte to the end of the handshake, encryption included. */
const HANDSHAKE_TIMEOUT = 25_000;
const SILENCE_TIMEOUT = 240_000;
/** At each such step a keep-alive is sent if nothing else was since the last: a gap is less than two of them. */
const KEEP_ALIVE_STEP = 55_000;
/** Unread answers (blocks left out) after which the remote is not worth keeping. */
const MAX_PENDING_CONTROL = 2_097_152;

export class PeerConnection {
  readonly commands: MessageWriter;
  readonly #events: ConnectionEvents;
  readonly #local: LocalExtensions;
  readonly #out: Outbox;
  readonly #inbox: Inbox;
  readonly #reader: FrameReader;
  /** Undefined once the handshake is over. */
  #opening: ConnectionOpening | undefined;
  /** The opening's bytes, which precede all others and are never encrypted here. */
  #openingOutput: Uint8Array[];
  #extensions: ExtensionLink | undefined;
  #encrypt: Rc4 | undefined;
  #decrypt: Rc4 | undefined;
  readonly #startedAt: number;
  #heardAt: number;
  #keepAliveAt = Infinity;
  #saidBefore = 0;
  #failure: ProtocolError | undefined;
  #closed = false;

  /** Says hello at once: bytes wait when this returns. */
  static outgoing(
    options: ConnectionOptions,
    torrent: LocalTorrent,
  ): PeerConnection {
    const opening = new ConnectionOpening(options, torrent, undefined);
    return new PeerConnection(options, opening);
  }

  static incoming(
    options: ConnectionOptions,
    torrents: LocalTorrents,
  ): PeerConnection {
    const opening = new ConnectionOpening(options, undefined, torrents);
    return new PeerConnection(options, opening);
  }

  private constructor(options: ConnectionOptions, opening: ConnectionOpening) {
    const { events } = options;
    this.#events = events;
    this.#local = options.extensions;
    this.#opening = opening;
    this.#openingOutput = opening.takeOutput();
    this.#startedAt = options.now;
    this.#heardAt = options.now;
    this.#out = new Outbox(() => this.#announceOutput());
    this.commands = new MessageWriter(this.#out);
    this.#inbox = new Inbox(this.commands, {
      onPort: (port) => events.onPort(port),
      onExtended: (bytes, from, to) =>
        this.#extensions?.receive(bytes, from, to),
      onHashRequest: (range) => events.onHashRequest(range),
      onHashes: (range, hashes) => events.onHashes(range, hashes),
      onHashReject: (range) => events.onHashReject(range),
    });
    this.#reader = new FrameReader(this.#inbox);
  }

  /** The remote's side of BEP 10 and our messages of its extensions; undefined before the handshake and where the remote does not know BEP 10. */
  get extensions(): ExtensionLink | undefined {
    return this.#extensions;
  }

  /** Bytes that wait to be taken; serve no more blocks while these are many. */
  get pendingOutput(): number {
    return this.#out.pending;
  }

  /** Bytes of blocks received so far, wanted or not. */
  get downloadedPayload(): number {
    return this.#reader.payloadBytes;
  }

  /** Bytes of blocks appended so far. */
  get uploadedPayload(): number {
    return this.commands.payloadBytes;
  }

  get closed(): boolean {
    return this.#closed;
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
    if (this.#closed) return Infinity;
    if (this.#failure !== undefined) return -Infinity;
    if (this.#opening !== undefined) return this.#startedAt + HANDSHAKE_TIMEOUT;
    return Math.min(this.#heardAt + SILENCE_TIMEOUT, this.#keepAliveAt);
  }

  /**
   * The torrent's metadata is known: facts about pieces go to `events` from now
   * on, beginning with what the remote said before. `infoBytes` are served and
   * told of; needed only when they were not there at the handshake.
   */
  attach(
    events: PeerEvents,
    shape: TorrentShape,
    infoBytes?: Uint8Array,
  ): void {
    if (this.#closed) return;
    try {
      this.#inbox.attach(events, shape);
    } catch (error) {
      // What the remote did wrong is told at the next `receive` or `tick`.
      if (!(error instanceof ProtocolError)) throw error;
      this.#failure = error;
    }
    if (this.#extensions !== undefined && infoBytes !== undefined) {
      this.#extensions.metadata = infoBytes;
    }
  }

  /**
   * Bytes from the remote. The chunk may be reused after the call, and is
   * decrypted where it stands when the connection is encrypted.
   */
  receive(chunk: Uint8Array, now: number): void {
    if (this.#closed) return;
    this.#heardAt = now;
    const bytes = plain(chunk);
    try {
      this.#raiseFailure();
      if (this.#opening !== undefined) this.#open(this.#opening, bytes);
      else {
        if (this.#decrypt !== undefined) this.#decrypt.apply(bytes);
        this.#reader.read(bytes);
      }
      this.#raiseFailure();
    } catch (error) {
      this.#fail(error);
    }
  }

  /** All bytes to send now, in order; empty when there are none. */
  takeOutput(): Uint8Array[] {
    const { pending } = this.#out;
    let chunks = this.#out.take();
    if (this.#encrypt !== undefined && pending > 0) {
      const joined = join(chunks, pending);
      this.#encrypt.apply(joined);
      chunks = [joined];
    }
    if (this.#openingOutput.length === 0) return chunks;
    const all = [...this.#openingOutput, ...chunks];
    this.#openingOutput = [];
    return all;
  }

  tick(now: number): void {
    if (this.#closed) return;
    try {
      this.#raiseFailure();
      if (this.#opening !== undefined) {
        if (now < this.#startedAt + HANDSHAKE_TIMEOUT) return;
        throw new PeerTimeoutError('handshake');
      }
      if (now >= this.#heardAt + SILENCE_TIMEOUT) {
        throw new PeerTimeoutError('silent');
      }
      if (now >= this.#keepAliveAt) this.#keepAlive(now);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** The owner closes the connection: no event follows, no byte is taken or given. */
  close(): void {
    this.#closed = true;
    this.#reader.stopped = true;
    this.#reader.dropBlock();
    this.#openingOutput = [];
    this.#out.take();
  }

  #open(opening: ConnectionOpening, chunk: Uint8Array): void {
    const opened = opening.receive(chunk);
    const output = opening.takeOutput();
    if (output.length > 0) {
      this.#openingOutput.push(...output);
      this.#announceOutput();
    }
    if (opened === undefined) return;
    this.#opening = undefined;
    this.#establish(opened);
    if (opened.rest.length > 0) this.#reader.read(opened.rest);
  }

  #establish({ remote, encrypt, decrypt }: Opened): void {
    this.#encrypt = encrypt;
    this.#decrypt = decrypt;
    const { fast, extensions } = remote.capabilities;
    this.commands.fast = fast;
    this.#inbox.fast = fast;
    this.#inbox.extensions = extensions;
    this.#inbox.hashes = remote.torrent.infoHashV2 !== undefined;
    if (extensions) this.#extensions = this.#link(remote.torrent);
    this.#keepAliveAt = this.#heardAt + KEEP_ALIVE_STEP;
    this.#events.onHandshake(remote);
    if (this.#closed) return;
    if (!this.commands.begun) this.commands.nothing();
    this.#extensions?.sendHandshake();
  }

  #link(torrent: LocalTorrent): ExtensionLink {
    const events = this.#events;
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
      this.#local,
      torrent.private ?? false,
      () => this.#out.pending,
    );
    link.metadata = torrent.infoBytes;
    link.uploadOnly = torrent.uploadOnly ?? false;
    return link;
  }

  #keepAlive(now: number): void {
    if (this.commands.messages === this.#saidBefore) this.commands.keepAlive();
    this.#saidBefore = this.commands.messages;
    this.#keepAliveAt = now + KEEP_ALIVE_STEP;
  }

  #announceOutput(): void {
    if (!this.#closed) this.#events.onOutput();
  }

  #raiseFailure(): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#out.pendingControl > MAX_PENDING_CONTROL) {
      throw new ProtocolError('output-overflow', 'answers that nobody reads');
    }
  }

  #fail(error: unknown): void {
    if (this.#closed) return;
    this.close();
    const known =
      error instanceof ProtocolError || error instanceof PeerTimeoutError;
    if (!known) throw error;
    this.#events.onFailure(error);
  }
}

/** The same memory as no Buffer: what is kept of it is copied by `slice`, which a Buffer's does not. */
function plain(bytes: Uint8Array): Uint8Array {
  if (!Buffer.isBuffer(bytes)) return bytes;
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
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
