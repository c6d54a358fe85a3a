/**
 * Announces to the owners of swarms and their answers as bytes: there are thousands of them a
 * second, each with little to say. One after another, all numbers big-endian:
 *
 *     announce   0  20  info-hash
 *               20   1  peers wanted
 *               21   1  1: seeds wanted as well
 *               22   2  downloads that have become complete
 *               24   2  number of peers
 *               26      peers of ANNOUNCED_PEER_BYTES each
 *
 *     answer     0  20  info-hash
 *               20   2  seeds
 *               22   2  leechers
 *               24   4  downloads that have become complete
 *               28   4  print of its peers
 *               32   1  number of peers
 *               33      peers of PEER_BYTES each
 */
import type { RingId } from '@dnd/chord';
import type {
  SwarmAnswer,
  SwarmNumbers,
  SwarmPut,
  SwarmState,
} from './message';
import { ANNOUNCED_PEER_BYTES, PEER_BYTES } from './peer';
import { MAX_PEERS_GIVEN, MAX_PEERS_KEPT } from './swarm-table';

const ID_BYTES = 20;
const PUT_HEAD = 26;
/** An answer without peers: what is known of a swarm. */
export const STATE_BYTES = 33;

/** Numbers beyond their bounds (`want` 200, `completed` 2,000) are cut to them; at most 65,535 peers each. */
export function packPuts(puts: readonly SwarmPut[]): Uint8Array {
  let size = 0;
  for (const { peers } of puts) size += PUT_HEAD + peers.length;
  const out = Buffer.allocUnsafe(size);
  let at = 0;
  for (const { swarm, want, seeds, completed, peers } of puts) {
    out.write(swarm, at, ID_BYTES, 'hex');
    out[at + 20] = Math.min(want, MAX_PEERS_GIVEN);
    out[at + 21] = seeds ? 1 : 0;
    out.writeUInt16BE(Math.min(completed, MAX_PEERS_KEPT), at + 22);
    out.writeUInt16BE(peers.length / ANNOUNCED_PEER_BYTES, at + 24);
    out.set(peers, at + PUT_HEAD);
    at += PUT_HEAD + peers.length;
  }
  return out;
}

/** Announces that tell nothing and ask for `want` peers (at most 200) of each swarm, or for its numbers alone where that is 0. */
export function packQuestions(
  swarms: readonly Uint8Array[],
  want: number,
): Uint8Array {
  const out = Buffer.alloc(swarms.length * PUT_HEAD);
  swarms.forEach((swarm, i) => {
    const at = i * PUT_HEAD;
    out.set(swarm, at);
    out[at + 20] = want;
    out[at + 21] = 1;
  });
  return out;
}

/** The peers are views. Throws RangeError for what `arePuts` does not accept. */
export function unpackPuts(packed: Uint8Array): SwarmPut[] {
  const bytes = bufferOf(packed);
  const puts: SwarmPut[] = [];
  for (let at = 0; at < bytes.length;) {
    const end = putEnd(bytes, at);
    puts.push({
      swarm: bytes.toString('hex', at, at + ID_BYTES),
      want: bytes.readUInt8(at + 20),
      seeds: bytes[at + 21] === 1,
      completed: bytes.readUInt16BE(at + 22),
      peers: bytes.subarray(at + PUT_HEAD, end),
    });
    at = end;
  }
  return puts;
}

/** Are these at most `most` announces, all whole? */
export function arePuts(packed: Uint8Array, most: number): boolean {
  return areWhole(packed, most, putEnd);
}

export function packAnswers(answers: readonly SwarmAnswer[]): Uint8Array {
  let size = 0;
  for (const { peers } of answers) size += STATE_BYTES + peers.length;
  const out = Buffer.allocUnsafe(size);
  let at = 0;
  for (const answer of answers) {
    const { swarm, peers } = answer;
    out.write(swarm, at, ID_BYTES, 'hex');
    writeNumbers(out, at, answer);
    out[at + 32] = peers.length / PEER_BYTES;
    out.set(peers, at + STATE_BYTES);
    at += STATE_BYTES + peers.length;
  }
  return out;
}

/** Makes the 20 bytes of an info-hash that stand at `at`, with the 13 after them, an answer without peers. */
export function writeNumbers(
  out: Buffer,
  at: number,
  { seeds, leechers, completed, print }: SwarmNumbers,
): void {
  out.writeUInt16BE(seeds, at + 20);
  out.writeUInt16BE(leechers, at + 22);
  out.writeUInt32BE(Math.min(completed, 0xffffffff), at + 24);
  out.writeUInt32BE(print >>> 0, at + 28);
  out[at + 32] = 0;
}

/** The peers are views. Throws RangeError for what `areAnswers` does not accept. */
export function unpackAnswers(packed: Uint8Array): SwarmAnswer[] {
  const answers: SwarmAnswer[] = [];
  eachAnswer(packed, (infoHash, state) =>
    answers.push({ swarm: infoHash.toString('hex'), ...state }),
  );
  return answers;
}

/** As `unpackAnswers`, with info-hashes as they stand there. */
export function eachAnswer(
  packed: Uint8Array,
  visit: (infoHash: Buffer, state: SwarmState) => void,
): void {
  const bytes = bufferOf(packed);
  for (let at = 0; at < bytes.length;) {
    const end = answerEnd(bytes, at);
    visit(bytes.subarray(at, at + ID_BYTES), {
      seeds: bytes.readUInt16BE(at + 20),
      leechers: bytes.readUInt16BE(at + 22),
      completed: bytes.readUInt32BE(at + 24),
      print: bytes.readUInt32BE(at + 28),
      peers: bytes.subarray(at + STATE_BYTES, end),
    });
    at = end;
  }
}

/** How many there are. Throws RangeError for what `areAnswers` does not accept. */
export function countAnswers(packed: Uint8Array): number {
  const bytes = bufferOf(packed);
  let count = 0;
  for (let at = 0; at < bytes.length; count++) at = answerEnd(bytes, at);
  return count;
}

/** Are these at most `most` answers, all whole? */
export function areAnswers(packed: Uint8Array, most: number): boolean {
  return areWhole(packed, most, answerEnd);
}

/** Are these at most `most` answers without peers, all whole? */
export function areStates(packed: Uint8Array, most: number): boolean {
  return areWhole(packed, most, (bytes, at) => {
    const end = answerEnd(bytes, at);
    return endIn(bytes, end, end === at + STATE_BYTES);
  });
}

/** Visits answers without peers (`areStates`); no object is made for any, for they are many and often looked at. */
export function eachState(
  packed: Uint8Array,
  visit: (
    swarm: RingId,
    seeds: number,
    leechers: number,
    completed: number,
    print: number,
  ) => void,
): void {
  const bytes = bufferOf(packed);
  for (let at = 0; at < bytes.length; at += STATE_BYTES)
    visit(
      bytes.toString('hex', at, at + ID_BYTES),
      bytes.readUInt16BE(at + 20),
      bytes.readUInt16BE(at + 22),
      bytes.readUInt32BE(at + 24),
      bytes.readUInt32BE(at + 28),
    );
}

/** Those with these `indexes` (ascending) among answers without peers. */
export function pickStates(
  packed: Uint8Array,
  indexes: readonly number[],
): Uint8Array {
  const bytes = bufferOf(packed);
  if (indexes.length * STATE_BYTES === bytes.length) return bytes;
  const out = Buffer.allocUnsafe(indexes.length * STATE_BYTES);
  indexes.forEach((index, i) => {
    const at = index * STATE_BYTES;
    bytes.copy(out, i * STATE_BYTES, at, at + STATE_BYTES);
  });
  return out;
}

function areWhole(
  packed: Uint8Array,
  most: number,
  endOf: (bytes: Buffer, at: number) => number,
): boolean {
  const bytes = bufferOf(packed);
  let count = 0;
  let at = 0;
  try {
    while (at < bytes.length && count++ < most) at = endOf(bytes, at);
  } catch {
    return false;
  }
  return at === bytes.length;
}

function putEnd(bytes: Buffer, at: number): number {
  const peers = bytes.readUInt16BE(at + 24);
  const bounded =
    bytes.readUInt8(at + 20) <= MAX_PEERS_GIVEN &&
    bytes.readUInt16BE(at + 22) <= MAX_PEERS_KEPT;
  return endIn(bytes, at + PUT_HEAD + peers * ANNOUNCED_PEER_BYTES, bounded);
}

function answerEnd(bytes: Buffer, at: number): number {
  const peers = bytes.readUInt8(at + 32);
  const bounded =
    bytes.readUInt16BE(at + 20) <= MAX_PEERS_KEPT &&
    bytes.readUInt16BE(at + 22) <= MAX_PEERS_KEPT &&
    peers <= MAX_PEERS_GIVEN;
  return endIn(bytes, at + STATE_BYTES + peers * PEER_BYTES, bounded);
}

function endIn(bytes: Buffer, end: number, bounded: boolean): number {
  if (!bounded) throw new RangeError('out of bounds');
  if (end > bytes.length) throw new RangeError('cut short');
  return end;
}

function bufferOf(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}
