/** Why bytes are not acceptable bencoding, or why a value cannot be encoded. */
export type BencodeErrorCode =
  /** The input ends inside a value. */
  | 'truncated'
  /** A byte that cannot stand here. */
  | 'unexpected-byte'
  /** No digits, a stray sign, or (strict) a needless zero. */
  | 'bad-integer'
  /** Beyond −2⁶³ … 2⁶⁴−1. */
  | 'integer-range'
  /** A string's length is malformed or (strict) has needless zeros. */
  | 'bad-length'
  | 'too-deep'
  | 'too-many-values'
  | 'too-large'
  /** Bytes after the value, where a whole value was asked for. */
  | 'trailing-bytes'
  /** Strict only. */
  | 'unsorted-keys'
  /** Strict only; otherwise the first of two equal keys counts. */
  | 'duplicate-key'
  /** `decodeDictionary` met another type. */
  | 'not-a-dictionary'
  /** `encode` was given something bencoding has no form for. */
  | 'not-encodable';

/** Input (or a value to encode) is not bencoding within the bounds that were set. */
export class BencodeError extends Error {
  override readonly name = 'BencodeError';

  /** @param offset bytes from the start of the input; 0 when encoding. */
  constructor(
    readonly code: BencodeErrorCode,
    readonly offset: number,
  ) {
    super(`${code} at byte ${offset}`);
  }
}
