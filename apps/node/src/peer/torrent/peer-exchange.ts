/** Peer exchange (BEP 11) of one torrent: what each connection may still say, and what it is told next. */
import { PexFlag, PexState, type PexMessage, type PexPeer } from '@dnd/wire';
import { keyOf, type PeerAddress } from '@dnd/swarm';
import { addressBytes, addressOf } from '../connections/endpoints';
import type { PeerSocket } from '../connections/peer-socket';

/** Addresses remembered of what one peer has told. */
const mostTold = 500;

export class PeerExchange {
  private readonly states = new Map<PeerSocket, PexState>();
  private readonly told = new Map<PeerSocket, Set<string>>();

  joined(socket: PeerSocket): void {
    this.states.set(socket, new PexState());
    this.told.set(socket, new Set());
  }

  gone(socket: PeerSocket): void {
    this.states.delete(socket);
    this.told.delete(socket);
  }

  /** Those that have told of an address and may be connected with it. */
  *tellersOf(address: PeerAddress): Generator<PeerSocket> {
    const key = keyOf(address);
    for (const [socket, told] of this.told) if (told.has(key)) yield socket;
  }

  /** The addresses that a message tells; none when it is to be ignored. One who floods is closed. */
  heard(socket: PeerSocket, message: PexMessage, now: number): PeerAddress[] {
    const verdict = this.states.get(socket)?.heard(now);
    if (verdict === 'close') socket.close('it floods peer exchange');
    if (verdict !== 'take') return [];
    const told = this.told.get(socket);
    for (const peer of message.dropped) told?.delete(keyOf(addressOf(peer)));
    return message.added.map((peer) => {
      const address = addressOf(peer);
      if (told && told.size < mostTold) told.add(keyOf(address));
      return address;
    });
  }

  tick(now: number): void {
    if (this.states.size < 2) return;
    for (const [socket, state] of this.states) {
      if (now < state.dueAt || !socket.connection.extensions?.offers('ut_pex'))
        continue;
      const message = state.next(this.peersBut(socket), now);
      if (message) socket.connection.extensions.sendPex(message);
    }
  }

  private *peersBut(but: PeerSocket): Generator<PexPeer> {
    for (const socket of this.states.keys()) {
      const { listens } = socket;
      if (socket === but || !listens) continue;
      const address = addressBytes(listens.host);
      if (!address) continue;
      const flags =
        (socket.swarmPeer?.seed ? PexFlag.seed : 0) |
        (socket.incoming ? 0 : PexFlag.reachable);
      const { port } = listens;
      yield { address, port, flags };
    }
  }
}
