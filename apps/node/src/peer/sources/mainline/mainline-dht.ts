/**
 * The mainline DHT (BEP 5) as a source of peers: a node of it on the UDP port of the peer, kept by the
 * library bittorrent-dht, and the rhythm in which torrents are looked up and announced there. Private
 * torrents never are (BEP 27); one whose metadata is not known yet is looked up and not announced.
 */
import { keyOf, type PeerAddress, type PeerSource } from '@dnd/swarm';
import { wireHashes, type LocalTorrent } from '@dnd/wire';
import { Client, type DhtContact } from 'bittorrent-dht';
import { randomBytes } from 'node:crypto';
import { appetiteOf, type Appetite, type Seeker } from '../appetite';
import type { DhtMemory } from './dht-memory';
import { DhtSocket, type SendDatagram } from './dht-socket';

/** A torrent as far as the DHT is concerned. */
export interface DhtTorrent extends Seeker {
  readonly isPrivate: boolean;
  /** Undefined while its metadata is not known. */
  readonly metainfo: object | undefined;
  readonly local: LocalTorrent;
  readonly peers: Seeker['peers'] & {
    readonly book: { add(address: PeerAddress, source: PeerSource): boolean };
  };
}

export interface DhtOwner {
  /** Port of the peer, TCP and UDP. */
  readonly port: number;
  /** Milliseconds of a monotonic clock. */
  now(): number;
  send: SendDatagram;
  /** The session of a hash of 40 hex digits. */
  byHash(infoHash: string): DhtTorrent | undefined;
  /** New addresses are in the books. */
  found(): void;
}

export interface DhtState {
  state: 'waiting' | 'working' | 'ok' | 'error';
  message: string | undefined;
  /** Addresses found by the last lookup. */
  readonly found: Set<string>;
  /** Milliseconds since 1970. */
  lastAt: number | undefined;
  /** Milliseconds of the owner's clock. */
  dueAt: number;
}

/** From one lookup of a torrent to the next, milliseconds. */
const periods: Readonly<Record<Appetite, number>> = {
  starving: 60_000,
  hungry: 5 * 60_000,
  content: 15 * 60_000,
  sated: 15 * 60_000,
};
/** Nodes forget who does not announce again within half an hour. */
const forgetAfter = 30 * 60_000;
/** While the DHT has just been joined and knows nobody. */
const soon = 3_000;
const mostLookups = 2;
const mostAddresses = 200;
const mostMembers = 10_000;
const mostKeptNodes = 100;
const enoughNodes = 200;
/** Nodes that peers tell of are looked at in this time, milliseconds. */
const hearingGap = 500;

export class MainlineDht {
  private readonly socket: DhtSocket;
  private readonly states = new Map<DhtTorrent, DhtState>();
  private readonly id: Buffer;
  private readonly client: Client;
  private lookups = 0;
  private heardAt = -Infinity;
  private ended = false;

  constructor(
    private readonly owner: DhtOwner,
    memory: DhtMemory | undefined,
    bootstrap: readonly DhtContact[],
  ) {
    const { id, nodes } = memory ?? {
      id: randomBytes(20).toString('hex'),
      nodes: [],
    };
    this.id = Buffer.from(id, 'hex');
    this.socket = new DhtSocket(
      (datagram, host, port) => owner.send(datagram, host, port),
      () => owner.port,
      () => owner.now(),
    );
    this.client = new Client({
      nodeId: this.id,
      bootstrap: bootstrap.length > 0 ? bootstrap : false,
      socket: this.socket,
      maxAge: forgetAfter,
      maxPeers: mostMembers,
      concurrency: 16,
    });
    this.client.on('error', () => undefined);
    this.client.on('peer', (peer: DhtContact, infoHash: Buffer) =>
      this.heard(peer, infoHash),
    );
    this.client.listen();
    for (const node of nodes.slice(0, mostKeptNodes)) this.client.addNode(node);
  }

  /** Nodes of the DHT that this one knows. */
  get nodeCount(): number {
    return this.client.nodes.count();
  }

  get memory(): DhtMemory {
    const nodes = this.client.toJSON().nodes.slice(-mostKeptNodes);
    return { id: this.id.toString('hex'), nodes };
  }

  received(datagram: Buffer, host: string, port: number): void {
    if (!this.ended) this.socket.received(datagram, host, port);
  }

  /** A peer says that it has a node; taken up now and then, as long as few are known. */
  heardOfNode(host: string, port: number): void {
    const now = this.owner.now();
    if (this.ended || host.includes(':') || port === 0) return;
    if (now - this.heardAt < hearingGap || this.nodeCount >= enoughNodes)
      return;
    this.heardAt = now;
    this.client.addNode({ host, port });
  }

  started(session: DhtTorrent): void {
    if (session.isPrivate || this.states.has(session)) return;
    this.states.set(session, {
      state: 'waiting',
      message: undefined,
      found: new Set(),
      lastAt: undefined,
      dueAt: this.owner.now(),
    });
  }

  stopped(session: DhtTorrent): void {
    this.states.delete(session);
  }

  stateOf(session: DhtTorrent): Readonly<DhtState> | undefined {
    return this.states.get(session);
  }

  /** To be called every second or so. */
  tick(): void {
    if (this.ended || !this.client.ready) return;
    const now = this.owner.now();
    while (this.lookups < mostLookups) {
      const next = this.mostDue(now);
      if (!next) return;
      this.look(...next);
    }
  }

  stop(): Promise<void> {
    this.ended = true;
    this.states.clear();
    return new Promise((resolve) => this.client.destroy(resolve));
  }

  private mostDue(now: number): [DhtTorrent, DhtState] | undefined {
    let most: [DhtTorrent, DhtState] | undefined;
    for (const each of this.states) {
      const [, state] = each;
      if (state.state === 'working' || state.dueAt > now) continue;
      if (!most || state.dueAt < most[1].dueAt) most = each;
    }
    return most;
  }

  private look(session: DhtTorrent, state: DhtState): void {
    state.state = 'working';
    state.found.clear();
    this.lookups++;
    const hashes = wireHashes(session.local);
    let left = hashes.length;
    let answered = 0;
    const done = (count: number): void => {
      answered += count;
      if (--left > 0) return;
      this.lookups--;
      if (!this.ended) this.looked(session, state, answered);
    };
    for (const hash of hashes)
      this.client.lookup(Buffer.from(hash), (error, count) => {
        if (!error && count > 0) this.announce(session, hash);
        done(error ? 0 : count);
      });
  }

  private looked(session: DhtTorrent, state: DhtState, answered: number): void {
    const wait = answered > 0 ? periods[appetiteOf(session)] : soon;
    Object.assign(state, {
      state: answered > 0 ? 'ok' : 'error',
      message: answered > 0 ? undefined : 'no node of the DHT answers',
      lastAt: Date.now(),
      dueAt: this.owner.now() + wait,
    });
    if (state.found.size > 0) this.owner.found();
  }

  private announce(session: DhtTorrent, hash: Uint8Array): void {
    if (this.ended || !this.states.has(session)) return;
    if (session.isPrivate || !session.metainfo) return;
    const { port } = this.owner;
    this.client.announce(Buffer.from(hash), port, () => undefined);
  }

  private heard({ host, port }: DhtContact, infoHash: Buffer): void {
    const session = this.owner.byHash(infoHash.toString('hex'));
    const state = session && this.states.get(session);
    if (!state || session.isPrivate || state.found.size >= mostAddresses)
      return;
    if (!session.peers.book.add({ host, port }, 'dht')) return;
    state.found.add(keyOf({ host, port }));
    this.owner.found();
  }
}
