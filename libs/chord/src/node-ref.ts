/** 160-bit ring identifier as 40 lower-case hex digits, so that string order is ring order. */
export type RingId = string;

/** A node as others know it. */
export interface NodeRef {
  readonly id: RingId;
  readonly host: string;
  /** TCP port of its ring listener. */
  readonly port: number;
  /** +1 at each start; of two references to one id the higher incarnation is the live one. */
  readonly incarnation: number;
}

/** Is `x` in the half-open ring interval (from, to]? An interval from a node to itself is the whole ring. */
export function betweenIncl(from: RingId, x: RingId, to: RingId): boolean {
  return x === to || between(from, x, to);
}

/** Is `x` strictly inside (from, to)? An interval from a node to itself is everything but that node. */
export function between(from: RingId, x: RingId, to: RingId): boolean {
  return from < to
    ? from < x && x < to
    : from === to
      ? x !== from
      : x > from || x < to;
}
