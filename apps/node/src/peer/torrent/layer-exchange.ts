/**
 * Fetches the piece layers of v2 files by hash requests (BEP 52): which range to ask of whom, and the
 * proof of every answer against the file's root. Peers are whatever the owner tells them apart by;
 * times are milliseconds.
 */
import { merkleRoot, pieceLevel, verifyMerkleProof } from '@dnd/metainfo';
import type { HashRange } from '@dnd/wire';

export interface LayerRequest<P> {
  readonly peer: P;
  readonly range: HashRange;
}

interface Chunk {
  readonly range: HashRange;
  readonly layer: Layer;
  /** Layers of proof that lead from the range to the root. */
  readonly uncles: number;
}

interface Layer {
  readonly name: string;
  readonly bytes: Uint8Array;
  missing: number;
}

interface Asked {
  readonly chunk: Chunk;
  readonly until: number;
}

const hashBytes = 32;
/** BEP 52's advice. */
const hashesAtOnce = 512;
const answerTime = 10_000;
const rejectRest = 15_000;

export class LayerExchange<P> {
  private readonly all: Layer[] = [];
  private readonly waiting: Chunk[] = [];
  private readonly asked = new Map<P, Asked>();
  /** Peers, and until when they rest. */
  private readonly peers = new Map<P, number>();

  constructor(
    files: readonly { readonly root: Uint8Array; readonly length: number }[],
    pieceLength: number,
  ) {
    const baseLayer = pieceLevel(pieceLength);
    for (const { root, length } of files) {
      const pieces = Math.ceil(length / pieceLength);
      const height = Math.ceil(Math.log2(pieces));
      const count = Math.min(hashesAtOnce, 2 ** height);
      const layer: Layer = {
        name: Buffer.from(root).toString('hex'),
        bytes: new Uint8Array(pieces * hashBytes),
        missing: 0,
      };
      this.all.push(layer);
      const uncles = height - Math.log2(count);
      for (let index = 0; index < pieces; index += count) {
        layer.missing++;
        const range = {
          piecesRoot: root,
          baseLayer,
          index,
          length: count,
          proofLayers: height - 1,
        };
        this.waiting.push({ range, layer, uncles });
      }
    }
  }

  get done(): boolean {
    return this.waiting.length === 0 && this.asked.size === 0;
  }

  /** By root in hex; complete once `done`. */
  get layers(): Map<string, Uint8Array> {
    return new Map(this.all.map(({ name, bytes }) => [name, bytes]));
  }

  /** When `next` has something to say again. */
  get wakeAt(): number {
    let at = Infinity;
    for (const { until } of this.asked.values()) at = Math.min(at, until);
    if (this.waiting.length > 0)
      for (const [peer, rest] of this.peers)
        if (!this.asked.has(peer)) at = Math.min(at, rest);
    return at;
  }

  offer(peer: P): void {
    if (!this.peers.has(peer)) this.peers.set(peer, -Infinity);
  }

  gone(peer: P): void {
    this.peers.delete(peer);
    this.giveBack(peer);
  }

  /** What to ask now; silent peers lose their turn. */
  next(now: number): LayerRequest<P>[] {
    for (const [peer, { until }] of this.asked)
      if (until <= now) {
        this.giveBack(peer);
        this.peers.set(peer, now + rejectRest);
      }
    const requests: LayerRequest<P>[] = [];
    for (const [peer, rest] of this.peers) {
      if (rest > now || this.asked.has(peer)) continue;
      const chunk = this.waiting.shift();
      if (!chunk) break;
      this.asked.set(peer, { chunk, until: now + answerTime });
      requests.push({ peer, range: chunk.range });
    }
    return requests;
  }

  reject(peer: P, range: HashRange, now: number): void {
    const asked = this.asked.get(peer);
    if (!asked || !isSame(asked.chunk.range, range)) return;
    this.giveBack(peer);
    this.peers.set(peer, now + rejectRest);
  }

  /** False when the hashes do not lead to the root: the peer lies and is asked no more. */
  hashes(peer: P, range: HashRange, bytes: Uint8Array): boolean {
    const asked = this.asked.get(peer);
    if (!asked || !isSame(asked.chunk.range, range)) return true;
    const { chunk } = asked;
    const own = chunk.range.length * hashBytes;
    const uncles: Uint8Array[] = [];
    for (let at = own; at < bytes.length; at += hashBytes)
      uncles.push(bytes.subarray(at, at + hashBytes));
    const hashes = bytes.subarray(0, own);
    const proven =
      bytes.length === own + chunk.uncles * hashBytes &&
      (chunk.uncles === 0
        ? Buffer.compare(
            merkleRoot(hashes, chunk.range.baseLayer),
            chunk.range.piecesRoot,
          ) === 0
        : verifyMerkleProof(
            chunk.range.piecesRoot,
            hashes,
            chunk.range.index,
            uncles,
          ));
    if (!proven) {
      this.gone(peer);
      return false;
    }
    this.asked.delete(peer);
    const { layer } = chunk;
    const at = chunk.range.index * hashBytes;
    layer.bytes.set(hashes.subarray(0, layer.bytes.length - at), at);
    layer.missing--;
    return true;
  }

  private giveBack(peer: P): void {
    const asked = this.asked.get(peer);
    if (!asked) return;
    this.asked.delete(peer);
    this.waiting.unshift(asked.chunk);
  }
}

function isSame(a: HashRange, b: HashRange): boolean {
  return (
    a.index === b.index &&
    a.length === b.length &&
    a.baseLayer === b.baseLayer &&
    a.proofLayers === b.proofLayers &&
    Buffer.compare(a.piecesRoot, b.piecesRoot) === 0
  );
}
