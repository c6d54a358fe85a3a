/**
 * All uTP connections of one UDP socket (BEP 29). The owner hands it every
 * datagram and calls `tick` at `wakeAt`; it answers through `send`. Addresses
 * are opaque texts, one a remote endpoint.
 *
 * Promises: until a remote has shown that it receives what we send, it is never
 * sent more bytes than it sent; half-open connections are at most 100, of which
 * the oldest gives way; nothing is kept of junk. Datagrams are kept by
 * reference until their bytes are delivered, so their memory must not be reused.
 */
import {
  UtpPacket,
  UtpType,
  UTP_HEADER,
  writeHeader,
  writeTimes,
} from './packet';
import {
  microseconds,
  UtpSocket,
  type UtpEvents,
  type UtpHost,
} from './utp-socket';

export interface UtpOptions {
  send(datagram: Uint8Array, address: string): void;
  /** Unpredictable: 0 ≤ n < 65,536. */
  random16(): number;
  /** A remote has connected and its address is proven; undefined refuses it. */
  onConnection(socket: UtpSocket): UtpEvents | undefined;
  /** Connections of all kinds. Default 1,000. */
  readonly maxConnections?: number;
  /** Bytes of a whole datagram to this address. Default 1,400 everywhere. */
  datagramSize?(address: string): number;
}

const DATAGRAM = 1_400;
const MAX_HALF_OPEN = 100;
/** Resets a second that answer packets of unknown connections. */
const RESETS_A_SECOND = 20;

export class UtpMultiplexer {
  readonly #options: UtpOptions;
  readonly #host: UtpHost;
  readonly #packet = new UtpPacket();
  /** By address, then by the id that comes to us. */
  readonly #sockets = new Map<string, Map<number, UtpSocket>>();
  /** Answered, not proven; oldest first. */
  readonly #halfOpen = new Set<UtpSocket>();
  #count = 0;
  #wakeAt = Infinity;
  #resets = 0;
  #resetsSince = -Infinity;

  constructor(options: UtpOptions) {
    this.#options = options;
    this.#host = {
      send: (datagram, address) => options.send(datagram, address),
      wakeBy: (at) => {
        this.#wakeAt = Math.min(this.#wakeAt, at);
      },
      proven: (socket, now) => this.#introduce(socket, now),
      forget: (socket) => this.#forget(socket),
      renumber: (socket) => this.#renumber(socket),
    };
  }

  /** Connections of all kinds. */
  get size(): number {
    return this.#count;
  }

  /** When `tick` wants to be called; now and then too early, which does no harm. */
  get wakeAt(): number {
    return this.#wakeAt;
  }

  /** Dials; undefined when there are too many connections. */
  connect(
    address: string,
    events: UtpEvents,
    now: number,
  ): UtpSocket | undefined {
    if (this.#count >= (this.#options.maxConnections ?? 1_000)) {
      return undefined;
    }
    const socket = this.#add(address, this.#freeId(address), true);
    socket.events = events;
    socket.connect(now);
    return socket;
  }

  /** False when the datagram is not uTP (and may be the DHT's or a tracker's). */
  handle(datagram: Uint8Array, address: string, now: number): boolean {
    const packet = this.#packet;
    if (!packet.read(datagram)) return false;
    if (packet.type === UtpType.syn) this.#onSyn(packet, address, now);
    else this.#dispatch(packet, address, now);
    return true;
  }

  tick(now: number): void {
    if (now < this.#wakeAt) return;
    this.#wakeAt = Infinity;
    for (const byId of this.#sockets.values()) {
      for (const socket of byId.values()) {
        if (now >= socket.wakeAt) socket.tick(now);
        this.#wakeAt = Math.min(this.#wakeAt, socket.wakeAt);
      }
    }
  }

  /** Ends every connection. */
  close(now: number): void {
    for (const byId of [...this.#sockets.values()]) {
      for (const socket of [...byId.values()]) socket.destroy(now);
    }
  }

  #onSyn(packet: UtpPacket, address: string, now: number): void {
    const receiveId = (packet.connectionId + 1) & 0xffff;
    const known = this.#sockets.get(address)?.get(receiveId);
    if (known !== undefined) {
      if (this.#halfOpen.has(known)) known.answer(packet, now);
      return;
    }
    if (this.#halfOpen.size >= MAX_HALF_OPEN) {
      const [oldest] = this.#halfOpen;
      this.#forget(oldest);
    }
    if (this.#count >= (this.#options.maxConnections ?? 1_000)) return;
    const socket = this.#add(address, receiveId, false);
    this.#halfOpen.add(socket);
    socket.answer(packet, now);
  }

  /** Called by a socket that answered a SYN, when its remote is proven. */
  #introduce(socket: UtpSocket, now: number): void {
    this.#halfOpen.delete(socket);
    socket.events = this.#options.onConnection(socket);
    if (socket.events === undefined) socket.destroy(now);
  }

  #dispatch(packet: UtpPacket, address: string, now: number): void {
    const byId = this.#sockets.get(address);
    const socket =
      packet.type === UtpType.reset
        ? this.#resetOf(byId, packet.connectionId)
        : byId?.get(packet.connectionId);
    if (socket !== undefined) socket.handle(packet, now);
    else this.#refuse(packet, address, now);
  }

  /** A reset bears the id of the packet that it answers, or the one we go by. */
  #resetOf(
    byId: Map<number, UtpSocket> | undefined,
    id: number,
  ): UtpSocket | undefined {
    const socket = byId?.get(id);
    if (socket !== undefined) return socket;
    for (const each of byId?.values() ?? []) {
      if (each.sendId === id) return each;
    }
    return undefined;
  }

  /** For data of no connection there is a reset, now and then. */
  #refuse(packet: UtpPacket, address: string, now: number): void {
    if (packet.type !== UtpType.data && packet.type !== UtpType.fin) return;
    if (now >= this.#resetsSince + 1_000) {
      this.#resetsSince = now;
      this.#resets = 0;
    }
    if (this.#resets++ >= RESETS_A_SECOND) return;
    const reset = new Uint8Array(UTP_HEADER);
    const { connectionId, seq } = packet;
    const own = this.#options.random16();
    writeHeader(reset, UtpType.reset, connectionId, own, seq);
    writeTimes(reset, microseconds(now), 0, 0);
    this.#options.send(reset, address);
  }

  #add(address: string, receiveId: number, dials: boolean): UtpSocket {
    const datagram = this.#options.datagramSize?.(address) ?? DATAGRAM;
    const socket = new UtpSocket(this.#host, {
      address,
      receiveId,
      dials,
      firstSeq: this.#options.random16(),
      packetSize: datagram - UTP_HEADER,
    });
    const byId = this.#sockets.get(address) ?? new Map<number, UtpSocket>();
    byId.set(receiveId, socket);
    this.#sockets.set(address, byId);
    this.#count++;
    return socket;
  }

  #freeId(address: string): number {
    const taken = this.#sockets.get(address);
    let id = this.#options.random16();
    while (taken?.has(id)) id = (id + 1) & 0xffff;
    return id;
  }

  #renumber(socket: UtpSocket): number {
    const id = this.#freeId(socket.address);
    const byId = this.#sockets.get(socket.address);
    byId?.delete(socket.receiveId);
    byId?.set(id, socket);
    return id;
  }

  #forget(socket: UtpSocket): void {
    this.#halfOpen.delete(socket);
    const byId = this.#sockets.get(socket.address);
    if (byId?.get(socket.receiveId) !== socket) return;
    byId.delete(socket.receiveId);
    this.#count--;
    if (byId.size === 0) this.#sockets.delete(socket.address);
  }
}
