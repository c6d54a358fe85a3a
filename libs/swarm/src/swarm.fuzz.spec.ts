/**
 * Peers that say anything in any order, well-formed as the wire promises and senseless otherwise: the
 * swarm must neither throw nor lose count. Every run is repeated by its seed.
 */
import { Bitfield } from '@dnd/metainfo';
import { ASKED, BLOCK_LENGTH, DONE, FREE } from './partial-piece';
import { ScriptedSwarm } from './testing/scripted-swarm';
import type { ScriptedPeer } from './testing/scripted-swarm';
import { seededRandom } from './testing/seeded-random';
import { TokenBucket } from './token-bucket';

const PIECES = 12;
const SIZE = 3 * BLOCK_LENGTH + 77;

class Chaos {
  readonly script: ScriptedSwarm;
  readonly random: () => number;
  peers: ScriptedPeer[] = [];

  constructor(seed: number) {
    this.random = seededRandom(seed);
    const have = new Bitfield(PIECES);
    if (seed % 3 === 0) have.fill();
    this.script = new ScriptedSwarm(() => SIZE, {
      pieceCount: PIECES,
      have,
      random: this.random,
      settings: { superSeeding: seed % 12 === 0, uploadSlots: 3 },
      uploadLimits: seed % 2 === 0 ? [new TokenBucket(100_000, 1_000)] : [],
      downloadLimits: seed % 5 === 0 ? [new TokenBucket(200_000, 1_000)] : [],
    });
    this.script.buffers = 1 + (seed % 7);
    this.script.drains = seed % 4 !== 0;
  }

  int(end: number): number {
    return Math.floor(this.random() * end);
  }

  /** Mostly sensible, sometimes at or past an edge. */
  number(end: number): number {
    const edges = [end, end + 1, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 1];
    return this.random() < 0.02 ? edges[this.int(edges.length)] : this.int(end);
  }

  field(): Bitfield {
    const field = new Bitfield(PIECES);
    const share = this.random() * 1.3;
    for (let i = 0; i < PIECES; i++) if (this.random() < share) field.add(i);
    return field;
  }

  step(): void {
    this.peers = this.peers.filter(({ peer }) => !peer.gone);
    const { script } = this;
    const choice = this.int(26);
    if (this.peers.length === 0 || (choice === 0 && this.peers.length < 8)) {
      this.peers.push(
        script.join([], {
          fast: this.random() < 0.7,
          unchokes: this.random() < 0.7,
          allowedFast: this.random() < 0.5 ? [1, 5] : undefined,
          unlimited: this.random() < 0.1,
        }),
      );
      return;
    }
    const peer = this.peers[this.int(this.peers.length)];
    if (choice < 16) peer.says(() => this.#say(peer));
    else if (choice < 19) peer.answers(1 + this.int(4), this.random() < 0.05);
    else if (choice === 19) script.check();
    else if (choice < 23) script.pass(this.int(3_000));
    else if (choice === 23 && this.random() < 0.3) {
      script.swarm.removePeer(peer.peer);
      script.swarm.settle();
    } else this.#wish();
  }

  #say(remote: ScriptedPeer): void {
    const { peer } = remote;
    const piece = this.number(PIECES);
    const begin =
      this.random() < 0.9 ? this.int(4) * BLOCK_LENGTH : this.number(SIZE);
    const length = this.random() < 0.9 ? BLOCK_LENGTH : this.number(SIZE);
    const asked = remote.asked[this.int(remote.asked.length || 1)];
    switch (this.int(17)) {
      case 0:
        remote.asked = remote.fast ? remote.asked : [];
        return peer.onChoke();
      case 1:
      case 2:
        return peer.onUnchoke();
      case 3:
        return peer.onInterested();
      case 4:
        return peer.onNotInterested();
      case 5:
        return peer.onHave(piece);
      case 6:
        return peer.onBitfield(this.field());
      case 7:
      case 8:
        for (let i = 0; i < 5; i++) peer.onRequest(piece, begin, length);
        return;
      case 9:
        return peer.onCancel(piece, begin, length);
      case 10:
        remote.asked = remote.asked.filter((each) => each !== asked);
        return asked === undefined
          ? peer.onReject(piece, begin, length)
          : peer.onReject(asked.piece, asked.begin, asked.length);
      case 11:
        return peer.onSuggest(piece);
      case 12:
        return peer.onAllowedFast(piece);
      case 13:
        return peer.onDontHave(piece);
      case 14:
        // A block begins and hangs.
        if (asked !== undefined)
          peer.blockTarget(asked.piece, asked.begin, asked.length);
        return;
      case 15:
        return peer.served(this.int(200_000));
      default:
        return peer.extended({
          reqq: this.number(300),
          uploadOnly: this.random() < 0.1,
        });
    }
  }

  #wish(): void {
    const { swarm } = this.script;
    const first = this.int(PIECES);
    const count = this.int(PIECES - first);
    switch (this.int(8)) {
      case 0:
        swarm.setPriority(first, count, this.int(8));
        break;
      case 1:
        swarm.need(first, count, this.script.now + this.int(5_000));
        break;
      case 2:
        swarm.needNothing();
        break;
      case 3:
        swarm.lost([first]);
        break;
      case 4:
        swarm.setDownloading(this.random() < 0.7);
        break;
      case 5:
        swarm.setUploading(this.random() < 0.7);
        break;
      case 6:
        swarm.setSequential(this.random() < 0.5);
        break;
      default:
        this.script.verifying
          .splice(0, 1)
          .forEach((piece) => swarm.unwritten(piece));
    }
    swarm.settle();
  }

  /** What must hold at any time. */
  problems(): string[] {
    const found: string[] = [];
    const { swarm, reserved } = this.script;
    const inFlight = new Map<number, number>();
    for (const partial of swarm.started) {
      const states = [...partial.state.subarray(0, partial.blocks)];
      const count = (state: number) => states.filter((s) => s === state).length;
      if (partial.free !== count(FREE)) found.push('free blocks miscounted');
      if (partial.done !== count(DONE)) found.push('done blocks miscounted');
      if (partial.writers < 0 || partial.copies < 0)
        found.push('negative writers');
      if (!reserved.has(partial.piece)) found.push('started without a buffer');
      if (swarm.have.has(partial.piece)) found.push('started though held');
      for (let block = 0; block < partial.blocks; block++) {
        if (partial.state[block] === DONE) continue;
        const ids = [...(partial.others?.get(block) ?? [])];
        if (partial.state[block] === ASKED) ids.push(partial.owner[block]);
        if (new Set(ids).size !== ids.length)
          found.push('asked twice of one peer');
        for (const id of ids) inFlight.set(id, (inFlight.get(id) ?? 0) + 1);
      }
    }
    for (const { peer } of this.peers) {
      if (peer.gone) continue;
      const expected = inFlight.get(peer.id) ?? 0;
      if (peer.inFlight !== expected)
        found.push(`in flight ${peer.inFlight}, asked ${expected}`);
      if (peer.queue.length > swarm.settings.reqq)
        found.push('queue unbounded');
      if (peer.handed < 0) found.push('handed below zero');
      let wanted = 0;
      for (let piece = 0; piece < PIECES; piece++)
        if (peer.have.has(piece) && swarm.picker.wants(piece)) wanted++;
      if (peer.wanted !== wanted)
        found.push(`wanted ${peer.wanted} of ${wanted}`);
    }
    const { availability } = swarm.picker.order;
    for (let piece = 0; piece < PIECES; piece++) {
      const holders = this.peers.filter(
        ({ peer }) => !peer.gone && !peer.countedAsSeed && peer.have.has(piece),
      ).length;
      if (availability[piece] !== holders)
        found.push('availability miscounted');
    }
    return found;
  }
}

describe('senseless peers', () => {
  it.each(Array.from({ length: 40 }, (_, i) => i + 1))(
    'neither break nor confuse it (seed %i)',
    (seed) => {
      const chaos = new Chaos(seed);
      for (let i = 0; i < 400; i++) {
        chaos.step();
        expect([i, chaos.problems()]).toEqual([i, []]);
      }
    },
  );

  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'do not keep an honest one from finishing the download (seed %i)',
    (seed) => {
      const chaos = new Chaos(seed);
      for (let i = 0; i < 200; i++) chaos.step();
      const { script } = chaos;
      script.drains = true;
      script.swarm.setDownloading(true);
      script.swarm.setPriority(0, PIECES, 4);
      const honest = script.join('all');
      for (let i = 0; i < 600 && !script.swarm.have.complete; i++) {
        honest.answers(8);
        script.check();
        script.pass(500);
      }
      expect(script.swarm.have.complete).toBe(true);
      expect(honest.peer.banned).toBe(false);
    },
  );
});
