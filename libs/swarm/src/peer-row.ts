/** Peers that wait for their turn, each once, first come first served; a ring that makes no garbage. */
import type { SwarmPeer } from './swarm-peer';

export class PeerRow {
  size = 0;
  #ring: (SwarmPeer | undefined)[] = new Array(8).fill(undefined);
  #head = 0;

  /** Nothing happens if the peer stands in the row already. */
  enter(peer: SwarmPeer): void {
    if (peer.inRow) return;
    peer.inRow = true;
    if (this.size === this.#ring.length) this.#grow();
    this.#ring[(this.#head + this.size) % this.#ring.length] = peer;
    this.size++;
  }

  /** Lets the first peer that fits go before the others; nothing happens if none does. */
  prefer(fits: (peer: SwarmPeer) => boolean): void {
    for (let i = 0; i < this.size; i++) {
      const at = (this.#head + i) % this.#ring.length;
      const peer = this.#ring[at] as SwarmPeer;
      if (!fits(peer)) continue;
      this.#ring[at] = this.#ring[this.#head];
      this.#ring[this.#head] = peer;
      return;
    }
  }

  /** Takes the first out; the row must not be empty. */
  next(): SwarmPeer {
    const peer = this.#ring[this.#head] as SwarmPeer;
    this.#ring[this.#head] = undefined;
    this.#head = (this.#head + 1) % this.#ring.length;
    this.size--;
    peer.inRow = false;
    return peer;
  }

  #grow(): void {
    const ring = this.#ring;
    this.#ring = [
      ...ring.slice(this.#head),
      ...ring.slice(0, this.#head),
      ...new Array<undefined>(ring.length).fill(undefined),
    ];
    this.#head = 0;
  }
}
