/**
 * What bencoded bytes decode to, and the few accessors with which a caller asks "is it this?"
 * of a value from the network without a cast.
 *
 * A dictionary is a Map, so no key (`__proto__`, `constructor`) means anything to JavaScript. Its keys
 * are the key's bytes as one Latin-1 character each: byte strings survive unchanged, their order is
 * the order of the bytes, and the ASCII keys of every BEP are written as they are: `dict.get('info')`.
 */

/** `bigint` only where a number could not hold the integer exactly. */
export type BencodeInteger = number | bigint;

/** Map from a key's bytes (Latin-1) to its value, in the order of the input. */
export type BencodeDictionary = Map<string, BencodeValue>;

export type BencodeValue =
  BencodeInteger | Uint8Array | BencodeValue[] | BencodeDictionary;

/** The dictionary, or undefined when `value` is absent or of another type. */
export function asDictionary(
  value: BencodeValue | undefined,
): BencodeDictionary | undefined {
  return value instanceof Map ? value : undefined;
}

/** The list, or undefined when `value` is absent or of another type. */
export function asList(
  value: BencodeValue | undefined,
): BencodeValue[] | undefined {
  return Array.isArray(value) ? value : undefined;
}

/** The string's bytes (a view into the input), or undefined when `value` is absent or of another type. */
export function asBytes(
  value: BencodeValue | undefined,
): Uint8Array | undefined {
  return value instanceof Uint8Array ? value : undefined;
}

/** The integer if a number holds it exactly; undefined for any other value, bigint included. */
export function asNumber(value: BencodeValue | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

const utf8 = new TextDecoder('utf-8', { ignoreBOM: true });

/** The string as UTF-8 text, U+FFFD where it is none; undefined when `value` is absent or of another type. */
export function asText(value: BencodeValue | undefined): string | undefined {
  return value instanceof Uint8Array ? utf8.decode(value) : undefined;
}

/** A dictionary key for these bytes. */
export function keyOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(
    'latin1',
  );
}

/** The bytes of a dictionary key. */
export function keyBytes(key: string): Uint8Array {
  return new Uint8Array(Buffer.from(key, 'latin1'));
}
