/** Peer exchange (BEP 11) of one torrent: what each connection may still say, and what it is told next. */
import { formatAddress, parseAddress } from '@dnd/tracker';
import { PexFlag, PexState, type PexMessage, type PexPeer } from '@dnd/wire';
import type { PeerAddress } from '@dnd/swarm';
import type { PeerSocket } from './peer-socket';

export class PeerExchange {
  private readonly states = new Map<PeerSocket, PexState>();

  joined(socket: PeerSocket): void {
    this.states.set(socket, new PexState());
  }

  gone(socket: PeerSocket): void {
    this.states.delete(socket);
  }

  /** The addresses that a message tells; none when it is to be ignored. One who floods is closed. */
  heard(socket: PeerSocket, message: PexMessage, now: number): PeerAddress[] {
    const verdict = this.states.get(socket)?.heard(now);
    if (verdict === 'close') socket.close('it floods peer exchange');
    if (verdict !== 'take') return [];
    return message.added.map(({ address, port }) => ({
      host: formatAddress(address, 0, address.length === 4 ? 4 : 16),
      port,
    }));
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
      const address = new Uint8Array(16);
      const length = parseAddress(listens.host, address);
      if (length === 0) continue;
      const flags =
        (socket.swarmPeer?.seed ? PexFlag.seed : 0) |
        (socket.incoming ? 0 : PexFlag.reachable);
      const { port } = listens;
      yield { address: address.subarray(0, length), port, flags };
    }
  }
}
