/**
 * The extension protocol on one connection (BEP 10): our handshake, the ids
 * that the remote gave, and the messages of the extensions both ways. Serves
 * metadata (BEP 9) itself, within bounds; everything else is told.
 */
import type { BencodeInteger } from '@dnd/bencode';
import { readUint32, writeUint32 } from './big-endian';
import {
  decodeExtensionHandshake,
  encodeExtensionHandshake,
  OUR_IDS,
  type ExtensionHandshake,
  type ExtensionName,
} from './extension-message';
import {
  decodeHolepunch,
  encodeHolepunch,
  type HolepunchMessage,
} from './holepunch-message';
import type { MessageWriter } from './message-writer';
import {
  decodeMetadataMessage,
  encodeMetadataMessage,
  METADATA_PIECE,
} from './metadata-message';
import { decodePex, encodePex, type PexMessage } from './pex-message';

/** What we say of ourselves in the extension handshake; absent is left out. */
export interface LocalExtensions {
  /** `v`. */
  readonly client?: string;
  /** `reqq`: requests of one peer that we keep. */
  readonly requestQueue?: number;
  /** TCP listen port. */
  readonly port?: number;
  /** The remote's address as we see it, 4 or 16 bytes. */
  readonly yourIp?: Uint8Array;
  readonly ipv4?: Uint8Array;
  readonly ipv6?: Uint8Array;
  /** Relays and follows holepunch messages, which needs uTP. */
  readonly holepunch?: boolean;
}

/** What the remote has told by all its extension handshakes together. */
export interface RemoteExtensions {
  readonly client: string | undefined;
  readonly requestQueue: number | undefined;
  readonly metadataSize: number | undefined;
  readonly port: number | undefined;
  readonly yourIp: Uint8Array | undefined;
  readonly ipv4: Uint8Array | undefined;
  readonly ipv6: Uint8Array | undefined;
  readonly uploadOnly: boolean;
}

export interface ExtensionEvents {
  /** After each of the remote's extension handshakes. */
  onExtensions(remote: RemoteExtensions): void;
  /** BEP 9: `bytes` are valid during the call and not verified. */
  onMetadata(
    piece: number,
    totalSize: number | undefined,
    bytes: Uint8Array,
  ): void;
  onMetadataReject(piece: number): void;
  /** BEP 11. Never called for a private torrent. */
  onPex(message: PexMessage): void;
  /** BEP 21, by its own message; by handshake it is told in `onExtensions` too. */
  onUploadOnly(uploadOnly: boolean): void;
  /** BEP 55. */
  onHolepunch(message: HolepunchMessage): void;
  /** BEP 54. */
  onDontHave(piece: number): void;
}

/** Unsent bytes beyond which metadata is refused instead of queued. */
const METADATA_BACKLOG = 131_072;
const MAX_METADATA_MESSAGE = METADATA_PIECE + 4_096;

export class ExtensionLink {
  remote: RemoteExtensions = {
    client: undefined,
    requestQueue: undefined,
    metadataSize: undefined,
    port: undefined,
    yourIp: undefined,
    ipv4: undefined,
    ipv6: undefined,
    uploadOnly: false,
  };
  readonly #say: MessageWriter;
  readonly #events: ExtensionEvents;
  readonly #local: LocalExtensions;
  readonly #backlog: () => number;
  readonly #private: boolean;
  readonly #theirIds = new Map<string, number>();
  #metadata: Uint8Array | undefined;
  #uploadOnly = false;
  #open = false;

  /** `backlog` says how many bytes wait to be sent. */
  constructor(
    say: MessageWriter,
    events: ExtensionEvents,
    local: LocalExtensions,
    isPrivate: boolean,
    backlog: () => number,
  ) {
    this.#say = say;
    this.#events = events;
    this.#local = local;
    this.#private = isPrivate;
    this.#backlog = backlog;
  }

  /** The info dictionary's bytes that we serve; told to the remote when it comes later than the handshake. */
  set metadata(bytes: Uint8Array | undefined) {
    const grew = this.#metadata === undefined && bytes !== undefined;
    this.#metadata = bytes;
    if (grew && this.#open) this.sendHandshake();
  }

  /** BEP 21: tells the remote, if it knows, that we download nothing (more). */
  set uploadOnly(uploadOnly: boolean) {
    if (uploadOnly === this.#uploadOnly) return;
    this.#uploadOnly = uploadOnly;
    this.#send('upload_only', new Uint8Array([uploadOnly ? 1 : 0]));
  }

  /** Whether the remote takes messages of this extension now. */
  offers(name: ExtensionName): boolean {
    return this.#theirIds.has(name);
  }

  /** The first time this is BEP 10's handshake, later an update. */
  sendHandshake(): void {
    this.#open = true;
    const { client, requestQueue, port, yourIp, ipv4, ipv6 } = this.#local;
    const ids = new Map<string, number>(Object.entries(OUR_IDS));
    if (this.#private) ids.delete('ut_pex');
    if (!this.#local.holepunch) ids.delete('ut_holepunch');
    this.#say.extended(
      0,
      encodeExtensionHandshake({
        ids,
        client,
        requestQueue,
        metadataSize: this.#metadata?.length,
        port,
        yourIp,
        ipv4,
        ipv6,
        uploadOnly: this.#uploadOnly,
      }),
    );
  }

  /** BEP 9; nothing is sent where the remote does not offer it. */
  requestMetadata(piece: number): void {
    this.#send('ut_metadata', encodeMetadataMessage('request', piece));
  }

  sendPex(message: PexMessage): void {
    if (!this.#private) this.#send('ut_pex', encodePex(message));
  }

  sendHolepunch(message: HolepunchMessage): void {
    this.#send('ut_holepunch', encodeHolepunch(message));
  }

  /** One extension message: its id, then its payload. Unknown ids and garbage are ignored. */
  receive(bytes: Uint8Array, from: number, to: number): void {
    if (to <= from) return;
    const id = bytes[from];
    const payload = bytes.subarray(from + 1, to);
    if (id === 0) return this.#onHandshake(payload);
    switch (id) {
      case OUR_IDS.ut_metadata:
        return this.#onMetadata(payload);
      case OUR_IDS.ut_pex:
        return this.#onPex(payload);
      case OUR_IDS.upload_only:
        if (payload.length > 0) this.#onUploadOnly(payload[0] !== 0);
        return;
      case OUR_IDS.lt_donthave:
        if (payload.length === 4) {
          this.#events.onDontHave(readUint32(payload, 0));
        }
        return;
      case OUR_IDS.ut_holepunch:
        return this.#onHolepunch(payload);
    }
  }

  #onHandshake(payload: Uint8Array): void {
    const heard = decodeExtensionHandshake(payload);
    if (heard === undefined) return;
    this.#learnIds(heard);
    const known = this.remote;
    this.remote = {
      client: heard.client ?? known.client,
      requestQueue: heard.requestQueue ?? known.requestQueue,
      metadataSize: heard.metadataSize ?? known.metadataSize,
      port: heard.port ?? known.port,
      yourIp: heard.yourIp ?? known.yourIp,
      ipv4: heard.ipv4 ?? known.ipv4,
      ipv6: heard.ipv6 ?? known.ipv6,
      uploadOnly: heard.uploadOnly ?? known.uploadOnly,
    };
    this.#events.onExtensions(this.remote);
  }

  #learnIds(heard: ExtensionHandshake): void {
    for (const name of Object.keys(OUR_IDS)) {
      const id = heard.ids.get(name);
      if (id === 0) this.#theirIds.delete(name);
      else if (id !== undefined) this.#theirIds.set(name, id);
    }
    this.#say.sendDontHave = this.offers('lt_donthave')
      ? (piece) => this.#sendDontHave(piece)
      : undefined;
  }

  #sendDontHave(piece: number): void {
    const payload = new Uint8Array(4);
    writeUint32(payload, 0, piece);
    this.#send('lt_donthave', payload);
  }

  #onMetadata(payload: Uint8Array): void {
    if (payload.length > MAX_METADATA_MESSAGE) return;
    const message = decodeMetadataMessage(payload);
    if (message === undefined) return;
    if (message.type === 'request') return this.#serve(message.piece);
    if (message.type === 'reject') {
      return this.#events.onMetadataReject(message.piece);
    }
    this.#events.onMetadata(message.piece, message.totalSize, message.bytes);
  }

  #serve(piece: BencodeInteger): void {
    const metadata = this.#metadata;
    const at = Number(piece) * METADATA_PIECE;
    if (
      metadata === undefined ||
      piece < 0 ||
      at >= metadata.length ||
      this.#backlog() > METADATA_BACKLOG
    ) {
      return this.#send('ut_metadata', encodeMetadataMessage('reject', piece));
    }
    this.#send(
      'ut_metadata',
      encodeMetadataMessage('data', piece, metadata.length),
      metadata.subarray(at, Math.min(at + METADATA_PIECE, metadata.length)),
    );
  }

  #onPex(payload: Uint8Array): void {
    if (this.#private) return;
    const message = decodePex(payload);
    if (message !== undefined) this.#events.onPex(message);
  }

  #onUploadOnly(uploadOnly: boolean): void {
    this.remote = { ...this.remote, uploadOnly };
    this.#events.onUploadOnly(uploadOnly);
  }

  #onHolepunch(payload: Uint8Array): void {
    if (!this.#local.holepunch) return;
    const message = decodeHolepunch(payload);
    if (message !== undefined) this.#events.onHolepunch(message);
  }

  #send(name: ExtensionName, payload: Uint8Array, tail?: Uint8Array): void {
    const id = this.#theirIds.get(name);
    if (id !== undefined) this.#say.extended(id, payload, tail);
  }
}
