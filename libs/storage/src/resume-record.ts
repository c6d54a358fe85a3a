/**
 * What is remembered of one torrent over a restart, and its form in bytes. The rule that everything
 * rests on: a record never claims a piece whose bytes were not made durable before it was stored.
 */
import { createHash } from 'node:crypto';
import type { FileStamp } from './torrent-files';

export interface ResumeRecord {
  /** Verified and durable pieces, BEP 3's bit order. */
  readonly pieces: Uint8Array;
  /** Each file as it was after the pieces were made durable; undefined: nothing of it on the disk. */
  readonly files: readonly (FileStamp | undefined)[];
  /** Unfinished files may have been written to since (the program did not end in order). */
  readonly writing: boolean;
}

const BYTES_PER_FILE = 17;

/** 17 bytes a file: place, size, time of change; big-endian. */
export function encodeStamps(
  files: readonly (FileStamp | undefined)[],
): Uint8Array {
  const bytes = Buffer.alloc(files.length * BYTES_PER_FILE);
  files.forEach((stamp, index) => {
    if (!stamp) return;
    const at = index * BYTES_PER_FILE;
    bytes[at] = stamp.place === 'partial' ? 1 : 2;
    bytes.writeDoubleBE(stamp.size, at + 1);
    bytes.writeBigInt64BE(stamp.mtimeNs, at + 9);
  });
  return bytes;
}

/** Undefined when the bytes cannot have come from `encodeStamps`. */
export function decodeStamps(
  bytes: Uint8Array,
): (FileStamp | undefined)[] | undefined {
  if (bytes.length % BYTES_PER_FILE !== 0) return undefined;
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const files: (FileStamp | undefined)[] = [];
  for (let at = 0; at < bytes.length; at += BYTES_PER_FILE) {
    const place = view[at];
    if (place > 2) return undefined;
    files.push(
      place === 0
        ? undefined
        : {
            place: place === 1 ? 'partial' : 'final',
            size: view.readDoubleBE(at + 1),
            mtimeNs: view.readBigInt64BE(at + 9),
          },
    );
  }
  return files;
}

/** Tells a damaged row from a whole one: SHA-256 over all that the row says, 16 bytes of it. */
export function checksum(
  id: string,
  pieces: Uint8Array,
  files: Uint8Array,
  writing: number,
): Uint8Array {
  return createHash('sha256')
    .update(`${id} ${pieces.length} ${files.length} ${writing}\n`)
    .update(pieces)
    .update(files)
    .digest()
    .subarray(0, 16);
}
