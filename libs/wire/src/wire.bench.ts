/**
 * What reading and writing 16 KiB blocks costs, plain and encrypted.
 * `npx node libs/wire/bench.mjs` runs it whole; the specs run it tiny.
 */
import { Bitfield } from '@dnd/metainfo';
import { BLOCK_SIZE } from './message-id';
import { Rc4 } from './mse/rc4';
import { RecordedPeer, exchange } from './testing/recorded-peer';
import type { EncryptionPolicy } from './mse/encryption-policy';
import { UtpMultiplexer } from './utp/utp-multiplexer';
import type { UtpEvents } from './utp/utp-socket';

export interface BenchmarkResult {
  readonly name: string;
  /** Of payload. */
  readonly bytes: number;
  /** Something of the work, so that it cannot be left out. */
  readonly proof: number;
}

const CHUNK = 65_536;
const PIECE = 1_048_576;
const BLOCKS_A_PIECE = PIECE / BLOCK_SIZE;

/** Reads `blocks` blocks that arrive in chunks of 64 KiB from a reused buffer. */
export function readBlocks(blocks: number): () => BenchmarkResult {
  const { from, to } = connect(blocks, 'off');
  const stream = stretch(from);
  const reused = new Uint8Array(CHUNK);
  const target = new Uint8Array(PIECE);
  let done = 0;
  // Targets are handed out of one table: no object a block.
  const views = Array.from({ length: BLOCKS_A_PIECE }, (_, i) =>
    target.subarray(i * BLOCK_SIZE, (i + 1) * BLOCK_SIZE),
  );
  to.blockTarget = (_piece, begin) => views[begin / BLOCK_SIZE];
  to.onBlock = () => void done++;
  return () => {
    done = 0;
    for (let n = 0; n < blocks / BLOCKS_A_PIECE; n++) {
      for (let at = 0; at < stream.length; at += CHUNK) {
        const chunk = stream.subarray(at, at + CHUNK);
        reused.set(chunk);
        const view =
          chunk.length === CHUNK ? reused : reused.subarray(0, chunk.length);
        to.connection.receive(view, 0);
      }
    }
    const bytes = blocks * BLOCK_SIZE;
    return { name: 'read blocks', bytes, proof: done + target[5] };
  };
}

/** One end appends blocks, the other reads them, all bytes encrypted. */
export function passEncrypted(blocks: number): () => BenchmarkResult {
  const { from, to } = connect(blocks, 'required');
  const block = new Uint8Array(BLOCK_SIZE).fill(7);
  const target = new Uint8Array(BLOCK_SIZE);
  let done = 0;
  to.blockTarget = () => target;
  to.onBlock = () => void done++;
  return () => {
    done = 0;
    for (let i = 0; i < blocks; i++) {
      from.connection.commands.piece(0, 0, block);
      if ((i & 15) !== 15) continue;
      for (const chunk of from.connection.takeOutput()) {
        to.connection.receive(chunk, 0);
      }
    }
    const bytes = blocks * BLOCK_SIZE;
    return {
      name: 'write and read, encrypted',
      bytes,
      proof: done + target[5],
    };
  };
}

/** Appends `blocks` blocks by reference and takes them out, 16 at a time. */
export function writeBlocks(
  blocks: number,
  encryption: EncryptionPolicy = 'off',
): () => BenchmarkResult {
  const { from } = connect(blocks, encryption);
  const block = new Uint8Array(BLOCK_SIZE).fill(7);
  return () => {
    let proof = 0;
    for (let i = 0; i < blocks; i++) {
      from.connection.commands.piece(0, 0, block);
      if ((i & 15) !== 15) continue;
      for (const chunk of from.connection.takeOutput()) proof += chunk.length;
    }
    const name = `write blocks, ${encryption}`;
    return { name, bytes: blocks * BLOCK_SIZE, proof };
  };
}

/** The cipher alone, in place. */
export function rc4(blocks: number): () => BenchmarkResult {
  const cipher = new Rc4(new Uint8Array(20).fill(3));
  const chunk = new Uint8Array(CHUNK);
  return () => {
    const rounds = Math.ceil((blocks * BLOCK_SIZE) / CHUNK);
    for (let n = 0; n < rounds; n++) cipher.apply(chunk);
    return { name: 'rc4', bytes: rounds * CHUNK, proof: chunk[77] };
  };
}

/** A uTP stream over a line without faults or delay, datagrams of 1,400 bytes, both ends. */
export function utp(blocks: number): () => BenchmarkResult {
  const block = new Uint8Array(BLOCK_SIZE).fill(7);
  return () => {
    let received = 0;
    const ignore = (): void => undefined;
    const events: UtpEvents = {
      onConnect: ignore,
      onData: (bytes) => void (received += bytes.length),
      onWritable: ignore,
      onEnd: ignore,
      onClose: ignore,
    };
    const line: [UtpMultiplexer, Uint8Array][] = [];
    const end = (other: () => UtpMultiplexer): UtpMultiplexer =>
      new UtpMultiplexer({
        send: (datagram) => void line.push([other(), datagram]),
        random16: () => 4,
        onConnection: () => events,
      });
    const a: UtpMultiplexer = end(() => b);
    const b: UtpMultiplexer = end(() => a);
    const socket = a.connect('b', events, 0);
    for (let i = 0, now = 0; i < blocks || received < blocks * BLOCK_SIZE;) {
      while (i < blocks && socket?.writable) {
        socket.write([block], now);
        i++;
      }
      const sent = line.splice(0);
      now += 0.1;
      for (const [to, datagram] of sent) to.handle(datagram, 'b', now);
      if (sent.length > 0) continue;
      now += 20;
      a.tick(now);
      b.tick(now);
    }
    return { name: 'utp, both ends', bytes: received, proof: received };
  };
}

function connect(
  blocks: number,
  encryption: EncryptionPolicy,
): { from: RecordedPeer; to: RecordedPeer } {
  const pieceCount = Math.ceil(blocks / BLOCKS_A_PIECE);
  const shape = {
    pieceCount,
    pieceLength: PIECE,
    length: pieceCount * PIECE,
  };
  const have = Bitfield.full(pieceCount);
  const from = new RecordedPeer('outgoing', { shape, have, encryption });
  const to = new RecordedPeer('incoming', { shape, encryption });
  exchange(from, to);
  return { from, to };
}

/** The bytes of one piece's blocks. */
function stretch(from: RecordedPeer): Uint8Array {
  const block = new Uint8Array(BLOCK_SIZE).fill(7);
  for (let i = 0; i < BLOCKS_A_PIECE; i++) {
    from.connection.commands.piece(0, i * BLOCK_SIZE, block);
  }
  return from.output();
}
