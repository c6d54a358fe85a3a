/**
 * Answers requests: checks them, queues them within bounds, and hands runs of adjacent blocks to the
 * owner, never more to one connection than it takes off. Under a rate limit the peers take turns.
 * With BEP 6 every request gets exactly one piece or reject.
 */
import type { Bitfield } from '@dnd/metainfo';
import { BLOCK_LENGTH } from './partial-piece';
import { PeerRow } from './peer-row';
import type { SwarmHost } from './host';
import type { SwarmPeer } from './swarm-peer';
import { SLOW } from './swarm-peer';
import type { SwarmSettings } from './settings';
import type { TokenBucket } from './token-bucket';
import { allowance } from './token-bucket';

/** Nobody has a reason for longer requests than this, bytes. */
const ABSURD_LENGTH = 131_072;
/** What one peer gets in its turn while the rate is limited, bytes. */
const TURN = 4 * BLOCK_LENGTH;
/** One turn in so many is not a first copy's. */
const ANYBODY = 8;
/** Under a limit it wakes no more often than this, ms. */
const PACE = 4;
/** What is handed over is doubled when it is gone within this, halved when it takes longer than that, ms. */
const QUICK = 100;
const LEAST_AHEAD = BLOCK_LENGTH;
/** Requests refused in a row before the peer is taken for a flood. */
const REFUSALS = 20_000;

export interface UploaderOptions {
  readonly have: Bitfield;
  readonly requestableSize: (piece: number) => number;
  readonly host: SwarmHost;
  readonly settings: SwarmSettings;
  readonly limits: readonly TokenBucket[];
  readonly disconnect: (peer: SwarmPeer, reason: 'protocol' | 'flood') => void;
  /** No other peer has the piece, or has been given it to pass on. */
  readonly firstCopy: (peer: SwarmPeer, piece: number) => boolean;
  /** A piece may be hidden from a peer (super-seeding). */
  readonly shows: (peer: SwarmPeer, piece: number) => boolean;
}

export class Uploader {
  enabled = true;
  /** When a limit lets the next block through; `Infinity` if none holds one back. */
  wakeAt = Infinity;
  /** Bytes handed over, ever. */
  sent = 0;
  /** Bytes on their way, over all peers. */
  #handed = 0;
  /** Peers with requests to serve and room for the bytes. */
  readonly #row = new PeerRow();
  #turn = 0;

  constructor(private readonly options: UploaderOptions) {}

  /** Nobody waits for anything from us. */
  get idle(): boolean {
    return this.#row.size === 0 && this.#handed === 0;
  }

  requested(
    peer: SwarmPeer,
    piece: number,
    begin: number,
    length: number,
  ): void {
    const { have, requestableSize } = this.options;
    const inside =
      piece < have.size &&
      length > 0 &&
      begin + length <= requestableSize(piece);
    if (!inside || length > BLOCK_LENGTH) {
      if (!peer.commands.fast || length > ABSURD_LENGTH)
        this.options.disconnect(peer, 'protocol');
      else this.#refuse(peer, piece, begin, length);
      return;
    }
    const welcome =
      this.enabled && (!peer.amChoking || (peer.granted?.has(piece) ?? false));
    if (
      welcome &&
      have.has(piece) &&
      this.options.shows(peer, piece) &&
      peer.queue.push(piece, begin, length)
    ) {
      peer.rejected = 0;
      this.#row.enter(peer);
    } else {
      this.#refuse(peer, piece, begin, length);
    }
  }

  cancelled(
    peer: SwarmPeer,
    piece: number,
    begin: number,
    length: number,
  ): void {
    if (
      piece >= this.options.have.size ||
      begin >= 2 ** 31 ||
      length >= 2 ** 31
    )
      return;
    // What has been handed over already is answered by its piece.
    if (peer.queue.remove(piece, begin, length) && peer.commands.fast)
      peer.commands.reject(piece, begin, length);
  }

  /** We have just choked it: all but allowed-fast requests are refused. */
  choked(peer: SwarmPeer): void {
    this.#dropQueued(peer, (piece) => !peer.granted?.has(piece));
  }

  lostPiece(peers: Iterable<SwarmPeer>, piece: number): void {
    for (const peer of peers)
      this.#dropQueued(peer, (queued) => queued === piece);
  }

  left(peer: SwarmPeer): void {
    peer.queue.clear();
    this.#handed = Math.max(0, this.#handed - peer.handed);
    peer.handed = 0;
  }

  served(peer: SwarmPeer, bytes: number, now: number): void {
    peer.handed = Math.max(0, peer.handed - bytes);
    this.#handed = Math.max(0, this.#handed - bytes);
    if (peer.queue.length > 0) this.#row.enter(peer);
    if (peer.probeBytes <= 0) return;
    peer.probeBytes -= bytes;
    if (peer.probeBytes > 0) return;
    const took = now - peer.probeSince;
    if (took < QUICK)
      peer.sendAhead = Math.min(
        peer.sendAhead * 2,
        this.options.settings.sendAhead,
      );
    else if (took > SLOW)
      peer.sendAhead = Math.max(peer.sendAhead / 2, LEAST_AHEAD);
  }

  /** Hands over what the connections and the limits have room for. */
  serve(now: number): void {
    this.wakeAt = Infinity;
    const row = this.#row;
    const limited = this.#isLimited();
    while (row.size > 0) {
      const room = limited ? allowance(this.options.limits, now) : Infinity;
      if (room <= 0) {
        this.#serveUnlimited(now);
        if (row.size > 0) this.#wait(now);
        return;
      }
      if (limited) this.#preferFirstCopies();
      const peer = row.next();
      if (!this.#canServe(peer)) continue;
      const most = limited
        ? Math.min(TURN, room)
        : this.options.settings.readRun;
      this.#serveRun(peer, most, now);
      // It goes to the end of the row, so all get their turn.
      row.enter(peer);
    }
  }

  /** While the rate is short, blocks that nobody else has go out first; one turn in a few is anybody's. */
  #preferFirstCopies(): void {
    const { firstCopy } = this.options;
    if (++this.#turn % ANYBODY === 0) return;
    this.#row.prefer(
      (peer) => this.#canServe(peer) && firstCopy(peer, peer.queue.piece(0)),
    );
  }

  /** The limits are used up, but there may be peers that they do not hold. */
  #serveUnlimited(now: number): void {
    const row = this.#row;
    for (let left = row.size; left > 0; left--) {
      const peer = row.next();
      if (peer.traits.unlimited)
        while (this.#canServe(peer))
          this.#serveRun(peer, this.options.settings.readRun, now);
      else row.enter(peer);
    }
  }

  #canServe(peer: SwarmPeer): boolean {
    return !peer.gone && peer.queue.length > 0 && peer.handed < peer.sendAhead;
  }

  #isLimited(): boolean {
    for (const limit of this.options.limits) if (limit.limited) return true;
    return false;
  }

  #wait(now: number): void {
    let at = now + PACE;
    for (const limit of this.options.limits)
      at = Math.max(at, limit.readyAt(1, now));
    this.wakeAt = at;
  }

  /** Serves the first request and those that follow on it in the same piece, up to `most` bytes. */
  #serveRun(peer: SwarmPeer, most: number, now: number): void {
    const { queue } = peer;
    const piece = queue.piece(0);
    const begin = queue.begin(0);
    const blockLength = queue.size(0);
    let length = blockLength;
    let count = 1;
    let last = blockLength;
    while (
      count < queue.length &&
      last === blockLength &&
      queue.piece(count) === piece &&
      queue.begin(count) === begin + length &&
      queue.size(count) <= blockLength &&
      length + queue.size(count) <= most
    ) {
      last = queue.size(count);
      length += last;
      count++;
    }
    queue.shift(count);
    peer.handed += length;
    this.#handed += length;
    if (peer.probeBytes <= 0) {
      peer.probeBytes = peer.handed;
      peer.probeSince = now;
    }
    peer.up.add(length);
    this.sent += length;
    if (!peer.traits.unlimited)
      for (const limit of this.options.limits) limit.take(length);
    this.options.host.serve(peer, piece, begin, length, blockLength);
  }

  #dropQueued(peer: SwarmPeer, which: (piece: number) => boolean): void {
    const { queue } = peer;
    for (let i = queue.length - 1; i >= 0; i--) {
      const piece = queue.piece(i);
      if (!which(piece)) continue;
      const begin = queue.begin(i);
      const length = queue.size(i);
      queue.removeAt(i);
      if (peer.commands.fast) peer.commands.reject(piece, begin, length);
    }
  }

  #refuse(peer: SwarmPeer, piece: number, begin: number, length: number): void {
    if (++peer.rejected > REFUSALS) this.options.disconnect(peer, 'flood');
    else if (peer.commands.fast) peer.commands.reject(piece, begin, length);
  }
}
