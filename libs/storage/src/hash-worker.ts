/**
 * One hashing thread. It reads file ranges itself or looks at shared
 * memory, and answers each job with its digests in one array. It knows nothing
 * of torrents. Imports only node: modules and erasable types, so that Node runs this file as it is.
 */
import { createHash, hash } from 'node:crypto';
import { closeSync, constants, openSync, readSync } from 'node:fs';
import { parentPort } from 'node:worker_threads';

/** Which digests of a unit are wanted; they are answered in this order, one after the other. */
export const WANT_SHA1 = 1;
/** Root of the tree over the 16 KiB leaves (SHA-256, BEP 52), padded with zero leaves to `width`. */
export const WANT_ROOT = 2;
/** SHA-256 of each 16 KiB leaf. */
export const WANT_LEAVES = 4;
/** SHA-1 of each 16 KiB block. */
export const WANT_BLOCKS = 8;

/** Something to hash as a whole: a piece. */
export interface HashUnit {
  /** A sum of WANT_ flags. */
  readonly want: number;
  /** Leaves of the tree for `WANT_ROOT`, a power of two. */
  readonly width: number;
  /** Where the bytes are: the first `length` of `memory`, or file ranges. */
  readonly memory?: SharedArrayBuffer;
  readonly length: number;
  /**
   * Triples: index into the job's `files`, position and length in bytes. Index -1 stands for zeros,
   * which do not count for leaves: they are padding behind a file's end, which BEP 52 leaves out.
   */
  readonly ranges?: readonly number[];
}

export interface HashJob {
  readonly id: number;
  readonly units: readonly HashUnit[];
  /** Paths; each is opened when it is reached, one at a time, never through a link. */
  readonly files: readonly string[];
}

export interface HashAnswer {
  readonly id: number;
  /** All units' digests; those of a unit that failed are left zero. */
  readonly digests: Uint8Array;
  /** Units whose bytes could not be had: which range, and the errno name or `SHORT`. */
  readonly failures: readonly HashFailure[];
}

export interface HashFailure {
  readonly unit: number;
  readonly range: number;
  readonly code: string;
}

const LEAF = 16_384;
const CHUNK = 16 * LEAF;
const chunk = new Uint8Array(CHUNK);
const zeros = new Uint8Array(LEAF);
/** `zeroRoots[n]`: root of a tree of 2^n zero leaves; BEP 52 pads with leaf hashes of 32 zero bytes. */
const zeroRoots: Buffer[] = [Buffer.alloc(32)];
while (zeroRoots.length < 33) {
  const below = zeroRoots[zeroRoots.length - 1];
  const root = Buffer.alloc(32);
  digestInto('sha256', Buffer.concat([below, below]), root, 0);
  zeroRoots.push(root);
}

/** A digest as a one-byte string is cheaper than one as a Buffer: there are two for every 16 KiB. */
function digestInto(
  algorithm: 'sha1' | 'sha256',
  bytes: Uint8Array,
  into: Buffer,
  at: number,
): void {
  into.write(hash(algorithm, bytes, 'binary'), at, 'binary');
}

/** Bytes that the digests of a unit take in the answer. */
function digestLength(unit: HashUnit): number {
  const blocks = Math.ceil(unit.length / LEAF);
  return (
    (unit.want & WANT_SHA1 ? 20 : 0) +
    (unit.want & WANT_ROOT ? 32 : 0) +
    (unit.want & WANT_LEAVES ? 32 * blocks : 0) +
    (unit.want & WANT_BLOCKS ? 20 * blocks : 0)
  );
}

/** Folds the first `count` leaves in place and returns the root of a tree of `width` leaves. */
function foldRoot(layer: Buffer, count: number, width: number): Buffer {
  let level = 0;
  for (let rest = width; rest > 1; rest >>= 1, level++) {
    const pairs = (count + 1) >> 1;
    if (count & 1) layer.set(zeroRoots[level], count * 32);
    for (let i = 0; i < pairs; i++) {
      digestInto('sha256', layer.subarray(i * 64, i * 64 + 64), layer, i * 32);
    }
    count = pairs;
  }
  return count === 0 ? zeroRoots[level] : layer.subarray(0, 32);
}

/** Collects what a unit wants while its bytes pass by in order, each part whole leaves but the last. */
class Digester {
  readonly #unit: HashUnit;
  readonly #sha1;
  readonly #leaves: Buffer;
  readonly #blocks: Buffer;
  #leafCount = 0;
  #blockCount = 0;

  constructor(unit: HashUnit) {
    const count = Math.ceil(unit.length / LEAF);
    this.#unit = unit;
    this.#sha1 =
      unit.want & WANT_SHA1 && !unit.memory ? createHash('sha1') : undefined;
    // One leaf more than there are: folding pads an odd layer in place.
    this.#leaves = Buffer.alloc(
      unit.want & (WANT_ROOT | WANT_LEAVES) ? 32 * (count + 1) : 0,
    );
    this.#blocks = Buffer.alloc(unit.want & WANT_BLOCKS ? 20 * count : 0);
  }

  add(bytes: Uint8Array): void {
    this.#sha1?.update(bytes);
    const { want } = this.#unit;
    for (let at = 0; at < bytes.length; at += LEAF) {
      const leaf = bytes.subarray(at, at + LEAF);
      if (want & (WANT_ROOT | WANT_LEAVES)) {
        digestInto('sha256', leaf, this.#leaves, 32 * this.#leafCount++);
      }
      if (want & WANT_BLOCKS) {
        digestInto('sha1', leaf, this.#blocks, 20 * this.#blockCount++);
      }
    }
  }

  addZeros(length: number): void {
    for (let at = 0; at < length; at += LEAF) {
      this.#sha1?.update(zeros.subarray(0, Math.min(LEAF, length - at)));
    }
  }

  finish(into: Uint8Array, at: number): void {
    const { want, width, memory, length } = this.#unit;
    if (want & WANT_SHA1) {
      const digest =
        this.#sha1?.digest() ??
        hash(
          'sha1',
          new Uint8Array(memory ?? zeros.buffer, 0, length),
          'buffer',
        );
      into.set(digest, at);
      at += 20;
    }
    const leaves = this.#leaves.subarray(0, 32 * this.#leafCount);
    if (want & WANT_ROOT) {
      const kept =
        want & WANT_LEAVES ? Buffer.from(this.#leaves) : this.#leaves;
      into.set(foldRoot(kept, this.#leafCount, width), at);
      at += 32;
    }
    if (want & WANT_LEAVES) {
      into.set(leaves, at);
      at += leaves.length;
    }
    if (want & WANT_BLOCKS) into.set(this.#blocks, at);
  }
}

/**
 * Reads a unit's ranges, gathered into whole chunks, so that blocks are counted from the unit's
 * begin however many files it crosses.
 */
function feedRanges(
  digester: Digester,
  unit: HashUnit,
  ranges: readonly number[],
  files: OpenFile,
): { readonly range: number; readonly code: string } | undefined {
  const contentOnly = (unit.want & (WANT_ROOT | WANT_LEAVES)) !== 0;
  let filled = 0;
  for (let i = 0; i < ranges.length; i += 3) {
    const file = ranges[i];
    const length = ranges[i + 2];
    if (file < 0 && contentOnly) {
      digester.add(chunk.subarray(0, filled));
      filled = 0;
      digester.addZeros(length);
      continue;
    }
    for (let done = 0; done < length;) {
      const wanted = Math.min(CHUNK - filled, length - done);
      if (file < 0) chunk.fill(0, filled, filled + wanted);
      else {
        const code = files.read(file, filled, wanted, ranges[i + 1] + done);
        if (code !== undefined) return { range: i / 3, code };
      }
      filled += wanted;
      done += wanted;
      if (filled < CHUNK) continue;
      digester.add(chunk);
      filled = 0;
    }
  }
  digester.add(chunk.subarray(0, filled));
  return undefined;
}

/** The one file that a job has open at a time. */
class OpenFile {
  readonly #paths: readonly string[];
  #index = -1;
  #fd = -1;

  constructor(paths: readonly string[]) {
    this.#paths = paths;
  }

  /** Fills a part of the chunk; an errno name, or `SHORT` where the file ends too soon. */
  read(
    index: number,
    offset: number,
    length: number,
    position: number,
  ): string | undefined {
    try {
      const fd = this.#open(index);
      for (let got = 0; got < length;) {
        const at = offset + got;
        const count = readSync(fd, chunk, at, length - got, position + got);
        if (count === 0) return 'SHORT';
        got += count;
      }
      return undefined;
    } catch (error) {
      return (error as { code?: string }).code ?? 'EIO';
    }
  }

  close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
    this.#index = -1;
  }

  #open(index: number): number {
    if (index === this.#index) return this.#fd;
    this.close();
    this.#fd = openSync(
      this.#paths[index],
      constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK,
    );
    this.#index = index;
    return this.#fd;
  }
}

function run(job: HashJob): HashAnswer {
  const failures: HashFailure[] = [];
  let total = 0;
  for (const unit of job.units) total += digestLength(unit);
  const digests = new Uint8Array(total);
  let at = 0;
  const files = new OpenFile(job.files);
  job.units.forEach((unit, index) => {
    const digester = new Digester(unit);
    if (unit.memory && unit.want & ~WANT_SHA1) {
      digester.add(new Uint8Array(unit.memory, 0, unit.length));
    }
    const failure = unit.ranges
      ? feedRanges(digester, unit, unit.ranges, files)
      : undefined;
    if (failure) failures.push({ unit: index, ...failure });
    else digester.finish(digests, at);
    at += digestLength(unit);
  });
  files.close();
  return { id: job.id, digests, failures };
}

parentPort?.on('message', (job: HashJob) => {
  parentPort?.postMessage(run(job));
});
parentPort?.postMessage('ready');
