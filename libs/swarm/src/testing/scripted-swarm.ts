/**
 * One swarm with peers that a spec speaks for: what the swarm says is recorded as text, what the
 * owner is asked is recorded too, and time moves by hand.
 */
import { Bitfield } from '@dnd/metainfo';
import type { PeerCommands } from '@dnd/wire';
import type { DisconnectReason, SwarmHost } from '../host';
import { BLOCK_LENGTH } from '../partial-piece';
import { Swarm } from '../swarm';
import type { SwarmOptions } from '../swarm';
import type { PeerTraits, SwarmPeer } from '../swarm-peer';
import { seededRandom } from './seeded-random';

/** A block as a spec names it: piece and block index. */
export type BlockName = readonly [piece: number, block: number];

export class ScriptedPeer implements PeerCommands {
  readonly fast: boolean;
  /** Everything said to it, as `name arguments`. */
  readonly said: string[] = [];
  /** Requests not answered yet, oldest first. */
  asked: { piece: number; begin: number; length: number }[] = [];
  peer!: SwarmPeer;

  constructor(
    private readonly script: ScriptedSwarm,
    fast: boolean,
  ) {
    this.fast = fast;
  }

  choke = (): void => this.#note('choke');
  unchoke = (): void => this.#note('unchoke');
  interested = (): void => this.#note('interested');
  notInterested = (): void => this.#note('notInterested');
  have = (piece: number): void => this.#note('have', piece);
  bitfield = (have: Bitfield): void => this.#note('bitfield', have.count);
  reject = (piece: number, begin: number, length: number): void =>
    this.#note('reject', piece, begin, length);
  allowedFast = (piece: number): void => this.#note('allowedFast', piece);
  suggest = (piece: number): void => this.#note('suggest', piece);
  dontHave = (piece: number): void => this.#note('dontHave', piece);
  keepAlive = (): void => this.#note('keepAlive');

  request = (piece: number, begin: number, length: number): void => {
    this.asked.push({ piece, begin, length });
    this.#note('request', piece, begin, length);
  };

  cancel = (piece: number, begin: number, length: number): void => {
    this.asked = this.asked.filter(
      (block) => block.piece !== piece || block.begin !== begin,
    );
    this.#note('cancel', piece, begin, length);
  };

  /** What was said since the last call. */
  heard(name?: string): string[] {
    const all = this.said.splice(0);
    return name === undefined
      ? all
      : all.filter((line) => line.startsWith(`${name} `) || line === name);
  }

  get askedBlocks(): BlockName[] {
    return this.asked.map(({ piece, begin }) => [piece, begin / BLOCK_LENGTH]);
  }

  /** The remote says something; the swarm decides afterwards. */
  says(what: (peer: SwarmPeer) => void): this {
    this.script.swarm.at(this.script.now);
    what(this.peer);
    this.script.swarm.settle();
    return this;
  }

  /** Answers its oldest requests; `bad` blocks carry other bytes. True for each that was taken. */
  answers(count = 1, bad = false): boolean[] {
    return this.asked
      .slice(0, count)
      .map(({ piece, begin, length }) => this.sends(piece, begin, length, bad));
  }

  sends(
    piece: number,
    begin: number,
    length = BLOCK_LENGTH,
    bad = false,
  ): boolean {
    this.asked = this.asked.filter(
      (block) => block.piece !== piece || block.begin !== begin,
    );
    let taken = false;
    this.says((peer) => {
      const target = peer.blockTarget(piece, begin, length);
      if (target === undefined) return;
      taken = true;
      target.fill(bad ? 0xbd : 0x60);
      peer.onBlock();
    });
    return taken;
  }

  #note(...words: (string | number)[]): void {
    this.said.push(words.join(' '));
  }
}

export class ScriptedSwarm implements SwarmHost {
  now = 1_000;
  readonly swarm: Swarm;
  readonly reserved = new Map<number, Uint8Array>();
  readonly verifying: number[] = [];
  readonly discarded: number[] = [];
  readonly serves: string[] = [];
  readonly disconnects: {
    peer: SwarmPeer;
    reason: DisconnectReason;
    ban: boolean;
  }[] = [];
  finishes = 0;
  buffers = Infinity;
  /** Served bytes are reported at once. */
  drains = true;

  constructor(
    private readonly pieceSize: (piece: number) => number,
    options: Partial<SwarmOptions> & { readonly pieceCount: number },
  ) {
    this.swarm = new Swarm({
      have: new Bitfield(options.pieceCount),
      random: seededRandom(7),
      now: this.now,
      ...options,
      host: this,
      pieceSize,
    });
  }

  /** `has`: the pieces of its bitfield; 'all' for a seed. Unchokes us unless told otherwise. */
  join(
    has: readonly number[] | 'all',
    {
      fast = true,
      unchokes = true,
      ...traits
    }: { fast?: boolean; unchokes?: boolean } & Partial<PeerTraits> = {},
  ): ScriptedPeer {
    const remote = new ScriptedPeer(this, fast);
    this.swarm.at(this.now);
    remote.peer = this.swarm.addPeer(remote, {
      address: `peer:${this.swarm.peerCount + 1}`,
      incoming: false,
      ...traits,
    });
    const have = new Bitfield(this.swarm.have.size);
    if (has === 'all') have.fill();
    else for (const piece of has) have.add(piece);
    return remote.says((peer) => {
      peer.onBitfield(have);
      if (unchokes) peer.onUnchoke();
    });
  }

  /** Lets time pass, ticking whenever the swarm wants it. */
  pass(milliseconds: number): void {
    const end = this.now + milliseconds;
    while (this.swarm.wakeAt <= end) {
      this.now = Math.max(this.now, this.swarm.wakeAt);
      this.swarm.tick(this.now);
    }
    this.now = end;
    this.swarm.at(end);
  }

  /** Answers all verifications that are due by what the bytes are. */
  check(): void {
    for (const piece of this.verifying.splice(0)) {
      const bytes = this.reserved.get(piece);
      const right = bytes?.every((byte) => byte === 0x60) ?? false;
      this.swarm.at(this.now);
      if (right) {
        this.reserved.delete(piece);
        this.swarm.verified(piece);
      } else {
        this.swarm.corrupt(piece);
      }
      this.swarm.settle();
    }
  }

  reserve(piece: number): boolean {
    if (this.reserved.size >= this.buffers) return false;
    this.reserved.set(piece, new Uint8Array(this.pieceSize(piece)));
    return true;
  }

  target(piece: number, begin: number, length: number): Uint8Array {
    const bytes = this.reserved.get(piece);
    if (bytes === undefined) throw new Error(`piece ${piece} is not reserved`);
    return bytes.subarray(begin, begin + length);
  }

  verify(piece: number): void {
    this.verifying.push(piece);
  }

  discard(piece: number): void {
    if (!this.reserved.delete(piece))
      throw new Error(`piece ${piece} is not reserved`);
    this.discarded.push(piece);
  }

  serve(
    peer: SwarmPeer,
    piece: number,
    begin: number,
    length: number,
    blockLength: number,
  ): void {
    this.serves.push([peer.id, piece, begin, length, blockLength].join(' '));
    if (this.drains) peer.served(length);
  }

  disconnect(peer: SwarmPeer, reason: DisconnectReason, ban: boolean): void {
    this.disconnects.push({ peer, reason, ban });
  }

  finished(): void {
    this.finishes++;
  }
}
