/**
 * What deciding costs on the path of a block, with nothing around it: no socket, no bytes, no hash.
 * `npx node libs/swarm/bench.mjs` runs it whole; the specs run it tiny.
 */
import { Bitfield } from '@dnd/metainfo';
import type { PeerCommands } from '@dnd/wire';
import type { SwarmHost } from './host';
import { BLOCK_LENGTH } from './partial-piece';
import { Swarm } from './swarm';
import type { SwarmPeer } from './swarm-peer';
import { seededRandom } from './testing/seeded-random';

export interface BenchmarkResult {
  readonly name: string;
  readonly blocks: number;
  /** Something of the work, so that it cannot be left out. */
  readonly proof: number;
}

const PIECE = 1_048_576;
/** Blocks that one chunk from the socket holds. */
const CHUNK = 4;

/** Remembers requests in one array that is used over and over. */
class RecordingCommands implements PeerCommands {
  readonly fast = true;
  readonly asked = new Int32Array(3 * 8_192);
  count = 0;
  haves = 0;
  choke = (): void => undefined;
  unchoke = (): void => undefined;
  interested = (): void => undefined;
  notInterested = (): void => undefined;
  bitfield = (): void => undefined;
  cancel = (): void => undefined;
  reject = (): void => undefined;
  allowedFast = (): void => undefined;
  suggest = (): void => undefined;
  dontHave = (): void => undefined;
  keepAlive = (): void => undefined;

  have = (): void => {
    this.haves++;
  };

  request = (piece: number, begin: number, length: number): void => {
    const at = (this.count++ % 8_192) * 3;
    this.asked[at] = piece;
    this.asked[at + 1] = begin;
    this.asked[at + 2] = length;
  };
}

class BenchHost implements SwarmHost {
  readonly bytes = new Uint8Array(BLOCK_LENGTH);
  readonly complete: number[] = [];
  served = 0;
  reserve = (): boolean => true;
  target = (): Uint8Array => this.bytes;
  discard = (): void => undefined;
  disconnect = (): void => undefined;
  finished = (): void => undefined;

  verify = (piece: number): void => {
    this.complete.push(piece);
  };

  serve = (
    peer: SwarmPeer,
    _piece: number,
    _begin: number,
    length: number,
  ): void => {
    this.served += length;
    peer.served(length);
  };
}

function bench(pieceCount: number, have: Bitfield) {
  const host = new BenchHost();
  const swarm = new Swarm({
    pieceCount,
    pieceSize: () => PIECE,
    have,
    host,
    random: seededRandom(1),
    now: 0,
  });
  const commands = new RecordingCommands();
  const peer = swarm.addPeer(commands, { address: 'a:1', incoming: false });
  return { host, swarm, commands, peer };
}

/** Downloads `blocks` blocks from one seed, answered in order, four to a chunk. */
export function downloadBlocks(blocks: number): () => BenchmarkResult {
  const pieceCount = Math.ceil((blocks * BLOCK_LENGTH) / PIECE);
  return () => {
    const { host, swarm, commands, peer } = bench(
      pieceCount,
      new Bitfield(pieceCount),
    );
    peer.extended({ reqq: 500 });
    peer.onBitfield(Bitfield.full(pieceCount));
    peer.onUnchoke();
    swarm.settle();
    let done = 0;
    while (done < commands.count) {
      const chunk = Math.min(CHUNK, commands.count - done);
      swarm.at((done * BLOCK_LENGTH) / 1e6);
      for (let i = 0; i < chunk; i++, done++) {
        const at = (done % 8_192) * 3;
        const piece = commands.asked[at];
        const begin = commands.asked[at + 1];
        const length = commands.asked[at + 2];
        if (peer.blockTarget(piece, begin, length) !== undefined)
          peer.onBlock();
      }
      for (const piece of host.complete) swarm.verified(piece);
      host.complete.length = 0;
      swarm.settle();
      if (swarm.now >= swarm.wakeAt) swarm.tick(swarm.now);
    }
    return { name: 'download', blocks: done, proof: swarm.have.count };
  };
}

/** Serves `blocks` blocks to one peer that asks 32 at a time. */
export function uploadBlocks(blocks: number): () => BenchmarkResult {
  const pieceCount = Math.ceil((blocks * BLOCK_LENGTH) / PIECE);
  return () => {
    const { host, swarm, peer } = bench(pieceCount, Bitfield.full(pieceCount));
    peer.onBitfield(new Bitfield(pieceCount));
    peer.onInterested();
    for (let block = 0; block < blocks; block++) {
      const at = block * BLOCK_LENGTH;
      peer.onRequest(Math.floor(at / PIECE), at % PIECE, BLOCK_LENGTH);
      if (block % 32 !== 31) continue;
      swarm.at(at / 1e6);
      swarm.settle();
    }
    swarm.settle();
    return { name: 'upload', blocks, proof: host.served };
  };
}
