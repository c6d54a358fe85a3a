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

interface Peer {
  readonly asked: Chunk[];
  /** When the next answer is too late. */
  until: number;
  /** It is asked nothing before. */
  rest: number;
}

const hashBytes = 32;
/** In a request; BEP 52's advice. */
const hashesAtOnce = 512;
/** Requests under way to one peer, 256 KiB of hashes: what our own nodes answer at once. */
const requestsAtOnce = 16;
const answerTime = 10_000;
const rejectRest = 15_000;

export class LayerExchange<P> {
  private readonly all: Layer[] = [];
  private readonly waiting: Chunk[] = [];
  private readonly peers = new Map<P, Peer>();

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
    return this.all.every(({ missing }) => missing === 0);
  }

  /** By root in hex; complete once `done`. */
  get layers(): Map<string, Uint8Array> {
    return new Map(this.all.map(({ name, bytes }) => [name, bytes]));
  }

  /** When `next` has something to say again. */
  get wakeAt(): number {
    let at = Infinity;
    for (const { asked, until, rest } of this.peers.values())
      if (asked.length > 0) at = Math.min(at, until);
      else if (this.waiting.length > 0) at = Math.min(at, rest);
    return at;
  }

  offer(peer: P): void {
    if (!this.peers.has(peer))
      this.peers.set(peer, { asked: [], until: 0, rest: -Infinity });
  }

  gone(peer: P): void {
    const known = this.peers.get(peer);
    if (!known) return;
    this.peers.delete(peer);
    this.giveBack(known);
  }

  /** What to ask now, of every peer in turn; silent ones lose theirs. */
  next(now: number): LayerRequest<P>[] {
    for (const known of this.peers.values())
      if (known.asked.length > 0 && known.until <= now) {
        this.giveBack(known);
        known.rest = now + rejectRest;
      }
    const requests: LayerRequest<P>[] = [];
    for (let turn = 0; turn < requestsAtOnce; turn++)
      for (const [peer, known] of this.peers) {
        if (known.rest > now || known.asked.length > turn) continue;
        const chunk = this.waiting.shift();
        if (!chunk) return requests;
        if (known.asked.length === 0) known.until = now + answerTime;
        known.asked.push(chunk);
        requests.push({ peer, range: chunk.range });
      }
    return requests;
  }

  reject(peer: P, range: HashRange, now: number): void {
    const known = this.peers.get(peer);
    const chunk = known && taken(known, range);
    if (!chunk) return;
    this.waiting.unshift(chunk);
    known.rest = now + rejectRest;
  }

  /** False when the hashes do not lead to the root: the peer lies and is asked no more. */
  hashes(peer: P, range: HashRange, bytes: Uint8Array, now: number): boolean {
    const known = this.peers.get(peer);
    const chunk = known && taken(known, range);
    if (!chunk) return true;
    if (!isProven(chunk, bytes)) {
      this.gone(peer);
      this.waiting.unshift(chunk);
      return false;
    }
    known.until = now + answerTime;
    const { layer } = chunk;
    const at = range.index * hashBytes;
    const own = Math.min(range.length * hashBytes, layer.bytes.length - at);
    layer.bytes.set(bytes.subarray(0, own), at);
    layer.missing--;
    return true;
  }

  private giveBack({ asked }: Peer): void {
    this.waiting.unshift(...asked.splice(0));
  }
}

/** What it was asked so, no longer under way. */
function taken({ asked }: Peer, range: HashRange): Chunk | undefined {
  const at = asked.findIndex((chunk) => isSame(chunk.range, range));
  return at < 0 ? undefined : asked.splice(at, 1)[0];
}

/** Whether the hashes, and the uncles after them, lead to the root. */
function isProven({ range, uncles }: Chunk, bytes: Uint8Array): boolean {
  const own = range.length * hashBytes;
  if (bytes.length !== own + uncles * hashBytes) return false;
  const hashes = bytes.subarray(0, own);
  if (uncles === 0)
    return (
      Buffer.compare(merkleRoot(hashes, range.baseLayer), range.piecesRoot) ===
      0
    );
  const proof = Array.from({ length: uncles }, (_, at) =>
    bytes.subarray(own + at * hashBytes, own + (at + 1) * hashBytes),
  );
  return verifyMerkleProof(range.piecesRoot, hashes, range.index, proof);
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
