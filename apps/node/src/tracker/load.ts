/**
 * What a tracker does, in the 20 bytes that its entry in the trackers' swarm has for a peer id: ten
 * numbers of 16 bits, exact up to 2,047 and rounded down to eleven binary digits above.
 */
export interface Load {
  readonly announcesPerSecond: number;
  readonly scrapesPerSecond: number;
  /** Swarms whose first owner the tracker's node is, and who is in them: over all nodes these add up. */
  readonly swarms: number;
  readonly peers: number;
  readonly seeds: number;
  /** Milliseconds that half of the answers took at most, and 99 of 100. */
  readonly p50: number;
  readonly p99: number;
  /** Requests per minute that broke the protocol, were refused, or were none. */
  readonly malformed: number;
  readonly refused: number;
  readonly junk: number;
}

/** Each field and how many of its unit make one. */
const fields: readonly (readonly [keyof Load, number])[] = [
  ['announcesPerSecond', 1],
  ['scrapesPerSecond', 1],
  ['swarms', 1],
  ['peers', 1],
  ['seeds', 1],
  ['p50', 1_000],
  ['p99', 1_000],
  ['malformed', 1],
  ['refused', 1],
  ['junk', 1],
];
const exact = 2_048;
const half = exact / 2;

export function encodeLoad(load: Load): Uint8Array {
  const bytes = Buffer.alloc(2 * fields.length);
  fields.forEach(([field, parts], i) =>
    bytes.writeUInt16BE(shortOf(load[field] * parts), 2 * i),
  );
  return bytes;
}

export function decodeLoad(bytes: Uint8Array): Load {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  return Object.fromEntries(
    fields.map(([field, parts], i) => [
      field,
      numberOf(view.readUInt16BE(2 * i)) / parts,
    ]),
  ) as Record<keyof Load, number>;
}

export const noLoad: Load = decodeLoad(new Uint8Array(2 * fields.length));

function shortOf(number: number): number {
  const whole = Math.max(0, Math.round(number));
  if (whole < exact) return whole;
  const shift = Math.floor(Math.log2(whole)) - 10;
  return Math.min(0xffff, shift * half + Math.floor(whole / 2 ** shift));
}

function numberOf(short: number): number {
  if (short < exact) return short;
  const shift = Math.floor(short / half) - 1;
  return (half + (short % half)) * 2 ** shift;
}
