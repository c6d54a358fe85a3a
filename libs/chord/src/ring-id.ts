/** Arithmetic on 160-bit ring identifiers kept as 40 hex digits. */
import type { RingId } from './node-ref';

const BITS = 160;
const MODULUS = 1n << BigInt(BITS);
/** Hex digits that a double holds exactly. */
const LEADING_DIGITS = 13;
const LEADING_RANGE = 16 ** LEADING_DIGITS;

export function isRingId(value: unknown): value is RingId {
  return typeof value === 'string' && /^[0-9a-f]{40}$/.test(value);
}

/** id + 2^exponent, where finger `exponent` of a node begins (Chord, ToN 2003, figure 4). */
export function plusPowerOfTwo(id: RingId, exponent: number): RingId {
  const sum = (BigInt(`0x${id}`) + (1n << BigInt(exponent))) % MODULUS;
  return sum.toString(16).padStart(40, '0');
}

/** The part of the ring from `from` clockwise to `to`, 0 ≤ share < 1, to 52 bits. */
export function shareOfRing(from: RingId, to: RingId): number {
  const share = (leading(to) - leading(from)) / LEADING_RANGE;
  return share < 0 ? share + 1 : share;
}

/** An identifier drawn from a generator of 0 ≤ x < 1. */
export function randomRingId(random: () => number): RingId {
  let id = '';
  while (id.length < 40) {
    id += Math.floor(random() * 0x1_0000)
      .toString(16)
      .padStart(4, '0');
  }
  return id;
}

/** Sorts clockwise, beginning just after `from`. */
export function clockwiseFrom(from: RingId): (a: RingId, b: RingId) => number {
  return (a, b) => {
    const aWraps = a <= from;
    if (aWraps !== b <= from) return aWraps ? 1 : -1;
    return a < b ? -1 : a > b ? 1 : 0;
  };
}

function leading(id: RingId): number {
  return parseInt(id.slice(0, LEADING_DIGITS), 16);
}
