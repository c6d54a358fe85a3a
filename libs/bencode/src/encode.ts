/** Values to canonical bytes (BEP 3): sorted keys, no needless digit. */
import { BencodeError } from './bencode-error';

/** Bytes that are bencoding already and go out as they are: an info value whose hash must not change. */
export class Encoded {
  constructor(readonly bytes: Uint8Array) {}
}

/**
 * What `encode` takes: besides decoded values, text (as UTF-8) and plain objects with ASCII keys, whose
 * undefined members are left out. Numbers must be safe integers. Keys hold a byte a character (Latin-1).
 */
export type Encodable =
  | number
  | bigint
  | string
  | Uint8Array
  | Encoded
  | readonly Encodable[]
  | ReadonlyMap<string, Encodable>
  | { readonly [key: string]: Encodable | undefined };

const MAX_DEPTH = 100;

/** Throws BencodeError `not-encodable`, or `too-deep` past 100 levels. */
export function encode(value: Encodable): Uint8Array {
  const writer = new Writer();
  write(writer, value, 0);
  return writer.take();
}

function write(writer: Writer, value: Encodable, depth: number): void {
  if (depth > MAX_DEPTH) throw new BencodeError('too-deep', 0);
  if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) {
      throw new BencodeError('not-encodable', 0);
    }
    writer.ascii(`i${value}e`);
  } else if (typeof value === 'bigint') writer.ascii(`i${value}e`);
  else if (typeof value === 'string') writer.string(Buffer.from(value));
  else if (value instanceof Uint8Array) writer.string(value);
  else if (value instanceof Encoded) writer.bytes(value.bytes);
  else if (isList(value)) {
    writer.ascii('l');
    for (const item of value) write(writer, item, depth + 1);
    writer.ascii('e');
  } else if (typeof value === 'object' && value !== null) {
    writeDictionary(writer, entriesOf(value), depth);
  } else throw new BencodeError('not-encodable', 0);
}

function writeDictionary(
  writer: Writer,
  entries: [string, Encodable][],
  depth: number,
): void {
  // Latin-1 keys compare by code unit, which is by byte.
  entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  writer.ascii('d');
  for (const [key, item] of entries) {
    if (NOT_LATIN1.test(key)) throw new BencodeError('not-encodable', 0);
    writer.string(Buffer.from(key, 'latin1'));
    write(writer, item, depth + 1);
  }
  writer.ascii('e');
}

const NOT_LATIN1 = /[^\0-\xff]/;

function entriesOf(
  value:
    | ReadonlyMap<string, Encodable>
    | { readonly [key: string]: Encodable | undefined },
): [string, Encodable][] {
  const entries =
    value instanceof Map ? [...value.entries()] : Object.entries(value);
  return entries.filter(
    (entry): entry is [string, Encodable] => entry[1] !== undefined,
  );
}

function isList(value: Encodable): value is readonly Encodable[] {
  return Array.isArray(value);
}

/** A growing buffer. */
class Writer {
  #buffer = Buffer.allocUnsafe(256);
  #used = 0;

  ascii(text: string): void {
    this.#reserve(text.length);
    this.#used += this.#buffer.write(text, this.#used, 'latin1');
  }

  string(bytes: Uint8Array): void {
    this.ascii(`${bytes.length}:`);
    this.bytes(bytes);
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#used);
    this.#used += bytes.length;
  }

  /** Exactly the bytes written, in memory of their own. */
  take(): Uint8Array {
    return new Uint8Array(this.#buffer.subarray(0, this.#used));
  }

  #reserve(more: number): void {
    const needed = this.#used + more;
    if (needed <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafe(Math.max(needed, this.#buffer.length * 2));
    grown.set(this.#buffer.subarray(0, this.#used));
    this.#buffer = grown;
  }
}
