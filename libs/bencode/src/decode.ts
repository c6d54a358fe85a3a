/**
 * Bytes to values (BEP 3), for input from anybody. No recursion; depth, number of values and size
 * are bounded; strings are views into the input, so a large input costs no second copy of itself.
 *
 * Lenient unless told otherwise, because real torrents and tracker answers are: unsorted keys and
 * needless zeros are taken, and of equal keys the first counts (for `decodeDictionary`'s spans too).
 * Whoever hashes a value hashes its span, never a re-encoding.
 */
import { BencodeError, type BencodeErrorCode } from './bencode-error';
import type { BencodeDictionary, BencodeInteger, BencodeValue } from './value';

export interface DecodeOptions {
  /** Refuse what `encode` would write differently: unsorted or double keys, needless zeros, −0. Default false. */
  readonly strict?: boolean;
  /** Lists and dictionaries inside each other. Default 100. */
  readonly maxDepth?: number;
  /** Values and keys together. Default 100,000. */
  readonly maxValues?: number;
  /** Bytes of input. Default 64 MiB. */
  readonly maxBytes?: number;
}

/** A value and the offset of the first byte after it. */
export interface Decoded {
  readonly value: BencodeValue;
  readonly end: number;
}

/** A dictionary and where each of its values stands in the input. */
export interface DecodedDictionary {
  readonly dictionary: BencodeDictionary;
  /** Offset of the first byte after the dictionary. */
  readonly end: number;
  /** The bytes of a value exactly as received (a view). */
  raw(key: string): Uint8Array | undefined;
}

/** Decodes one value that fills `bytes`. Throws BencodeError. */
export function decode(
  bytes: Uint8Array,
  options: DecodeOptions = {},
): BencodeValue {
  const { value, end } = decodePrefix(bytes, options);
  if (end !== bytes.length) throw new BencodeError('trailing-bytes', end);
  return value;
}

/** Decodes the value at the start of `bytes`; what follows (BEP 9: the piece) is the caller's. Throws BencodeError. */
export function decodePrefix(
  bytes: Uint8Array,
  options: DecodeOptions = {},
): Decoded {
  const decoder = new Decoder(bytes, options);
  const value = decoder.read();
  return { value, end: decoder.position };
}

/** Decodes the dictionary at the start of `bytes` and keeps the span of each of its values. Throws BencodeError. */
export function decodeDictionary(
  bytes: Uint8Array,
  options: DecodeOptions = {},
): DecodedDictionary {
  if (bytes.length > 0 && bytes[0] !== D) {
    throw new BencodeError('not-a-dictionary', 0);
  }
  const spans = new Map<string, readonly [number, number]>();
  const decoder = new Decoder(bytes, options, spans);
  const dictionary = decoder.read() as BencodeDictionary;
  return {
    dictionary,
    end: decoder.position,
    raw: (key) => {
      const span = spans.get(key);
      return span && plain(bytes).subarray(span[0], span[1]);
    },
  };
}

const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const MINUS = 0x2d;
const D = 0x64;
const E = 0x65;
const I = 0x69;
const L = 0x6c;

const INT_MIN = -(2n ** 63n);
const INT_MAX = 2n ** 64n - 1n;
/** Digits that a double adds up exactly. */
const SAFE_DIGITS = 15;
const MAX_DIGITS = 20;

type Container = BencodeValue[] | BencodeDictionary;
type Spans = Map<string, readonly [number, number]>;

class Decoder {
  position = 0;
  readonly #bytes: Uint8Array;
  readonly #text: Buffer;
  readonly #strict: boolean;
  readonly #maxDepth: number;
  #valuesLeft: number;
  readonly #spans: Spans | undefined;

  readonly #open: Container[] = [];
  /** The key that waits for its value, and in strict mode the last one, of each open dictionary. */
  readonly #keys: (string | undefined)[] = [];
  readonly #lastKeys: (string | undefined)[] = [];
  /** Where the value of the outermost dictionary's current key begins. */
  #valueStart = 0;

  constructor(input: Uint8Array, options: DecodeOptions, spans?: Spans) {
    const { maxBytes = 64 * 1024 * 1024 } = options;
    if (input.length > maxBytes) throw new BencodeError('too-large', maxBytes);
    this.#bytes = plain(input);
    this.#text = Buffer.from(input.buffer, input.byteOffset, input.length);
    this.#strict = options.strict ?? false;
    this.#maxDepth = options.maxDepth ?? 100;
    this.#valuesLeft = options.maxValues ?? 100_000;
    this.#spans = spans;
  }

  /** One value from `position` on. */
  read(): BencodeValue {
    for (;;) {
      const depth = this.#open.length;
      const container = depth === 0 ? undefined : this.#open[depth - 1];
      let done: BencodeValue | undefined;
      if (container !== undefined && this.#ends(container, depth)) {
        this.#open.pop();
        done = container;
      } else if (
        container instanceof Map &&
        this.#keys[depth - 1] === undefined
      ) {
        this.#key(depth);
      } else {
        done = this.#value();
      }
      if (done === undefined) continue;
      if (this.#open.length === 0) return done;
      this.#add(done);
    }
  }

  #ends(container: Container, depth: number): boolean {
    if (this.#bytes[this.position] !== E) return false;
    if (container instanceof Map && this.#keys[depth - 1] !== undefined) {
      throw this.#error('unexpected-byte');
    }
    this.position++;
    return true;
  }

  #key(depth: number): void {
    this.#count();
    const start = this.position;
    const length = this.#length();
    const key = this.#text.toString(
      'latin1',
      this.position,
      this.position + length,
    );
    this.position += length;
    if (this.#strict) {
      const last = this.#lastKeys[depth - 1];
      if (last === key) throw new BencodeError('duplicate-key', start);
      if (last !== undefined && last > key) {
        throw new BencodeError('unsorted-keys', start);
      }
      this.#lastKeys[depth - 1] = key;
    }
    this.#keys[depth - 1] = key;
    if (depth === 1) this.#valueStart = this.position;
  }

  /** A scalar, or undefined after opening a container. */
  #value(): BencodeValue | undefined {
    this.#count();
    const byte = this.#bytes[this.position];
    if (byte === I) return this.#integer();
    if (byte === L) return this.#begin([]);
    if (byte === D) return this.#begin(new Map());
    const length = this.#length();
    const start = this.position;
    this.position += length;
    return this.#bytes.subarray(start, this.position);
  }

  #begin(container: Container): undefined {
    const depth = this.#open.length;
    if (depth >= this.#maxDepth) throw this.#error('too-deep');
    this.#open.push(container);
    this.#keys[depth] = undefined;
    this.#lastKeys[depth] = undefined;
    this.position++;
  }

  #add(value: BencodeValue): void {
    const depth = this.#open.length;
    const container = this.#open[depth - 1];
    if (!(container instanceof Map)) {
      container.push(value);
      return;
    }
    const key = this.#keys[depth - 1] as string;
    this.#keys[depth - 1] = undefined;
    if (container.has(key)) return;
    container.set(key, value);
    if (depth === 1) this.#spans?.set(key, [this.#valueStart, this.position]);
  }

  #count(): void {
    if (this.#valuesLeft-- <= 0) throw this.#error('too-many-values');
    if (this.position >= this.#bytes.length) throw this.#error('truncated');
  }

  #integer(): BencodeInteger {
    const start = this.position++;
    const negative = this.#bytes[this.position] === MINUS;
    if (negative) this.position++;
    const { first, significant } = this.#digits('bad-integer');
    if (this.#bytes[this.position] !== E) {
      throw this.#error(
        this.position >= this.#bytes.length ? 'truncated' : 'bad-integer',
      );
    }
    const end = this.position++;
    const zero = end === significant;
    if (this.#strict) {
      const needless = zero ? negative || end - first > 1 : significant > first;
      if (needless) throw new BencodeError('bad-integer', start);
    }
    if (zero) return 0;
    const digits = end - significant;
    if (digits <= SAFE_DIGITS) {
      const size = this.#sum(significant, end);
      return negative ? -size : size;
    }
    if (digits > MAX_DIGITS) throw new BencodeError('integer-range', start);
    const size = BigInt(this.#text.toString('latin1', significant, end));
    const exact = negative ? -size : size;
    if (exact < INT_MIN || exact > INT_MAX) {
      throw new BencodeError('integer-range', start);
    }
    const number = Number(exact);
    return Number.isSafeInteger(number) ? number : exact;
  }

  /** A string's length and colon; the string itself is known to lie inside the input. */
  #length(): number {
    const start = this.position;
    const byte = this.#bytes[start];
    if (byte === undefined) throw this.#error('truncated');
    if (byte < ZERO || byte > NINE) throw this.#error('unexpected-byte');
    const { first, significant } = this.#digits('bad-length');
    const end = this.position;
    if (this.#bytes[end] !== COLON) {
      throw this.#error(end >= this.#bytes.length ? 'truncated' : 'bad-length');
    }
    const zero = significant === end;
    if (this.#strict && (zero ? end - first > 1 : significant > first)) {
      throw new BencodeError('bad-length', start);
    }
    this.position++;
    const length =
      end - significant > SAFE_DIGITS ? Infinity : this.#sum(significant, end);
    if (length > this.#bytes.length - this.position) {
      throw new BencodeError('truncated', start);
    }
    return length;
  }

  /** Passes over one digit or more; where they begin, and where without leading zeros. */
  #digits(code: BencodeErrorCode): { first: number; significant: number } {
    const first = this.position;
    let significant = first;
    for (; ; this.position++) {
      const byte = this.#bytes[this.position];
      if (!(byte >= ZERO && byte <= NINE)) break;
      if (byte === ZERO && significant === this.position) significant++;
    }
    if (this.position === first) {
      throw this.#error(first >= this.#bytes.length ? 'truncated' : code);
    }
    return { first, significant };
  }

  #sum(start: number, end: number): number {
    let sum = 0;
    for (let i = start; i < end; i++) sum = sum * 10 + this.#bytes[i] - ZERO;
    return sum;
  }

  #error(code: BencodeErrorCode): BencodeError {
    return new BencodeError(code, this.position);
  }
}

/** The same memory as a plain Uint8Array, so that values are never of a subclass by accident. */
function plain(bytes: Uint8Array): Uint8Array {
  return bytes.constructor === Uint8Array
    ? bytes
    : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}
