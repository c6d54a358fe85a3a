/** Makes the cells of a piece map: as many as there is room for, each one piece or the sum of several. */
import type { PiecesDto } from '@dnd/api-client';

export interface PieceCell {
  /** 0 to 1: how much of it is here. */
  readonly have: number;
  readonly inFlight: boolean;
  /** Fewest connected copies of a missing piece in it; undefined when nothing is missing. */
  readonly copies: number | undefined;
}

export interface PieceMap {
  readonly cells: readonly PieceCell[];
  readonly have: number;
  readonly count: number;
  /** Pieces a cell. */
  readonly each: number;
  /** Whole copies among the connected peers, and the share of pieces that one more peer has. */
  readonly copies: number;
}

const bytesOf = (base64: string): Uint8Array =>
  Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));

export function pieceMap(pieces: PiecesDto, maxCells: number): PieceMap {
  const { count } = pieces;
  const have = bytesOf(pieces.have);
  const availability = bytesOf(pieces.availability);
  const inFlight = new Set(pieces.inFlight);
  const each = Math.max(1, Math.ceil(count / maxCells));
  const has = (piece: number): boolean =>
    ((have[piece >> 3] ?? 0) & (0x80 >> (piece & 7))) !== 0;
  const cells: PieceCell[] = [];
  let total = 0;
  for (let start = 0; start < count; start += each) {
    const end = Math.min(count, start + each);
    let here = 0;
    let flying = false;
    let copies: number | undefined;
    for (let piece = start; piece < end; piece++) {
      if (has(piece)) here++;
      else {
        flying ||= inFlight.has(piece);
        copies = Math.min(copies ?? 255, availability[piece] ?? 0);
      }
    }
    total += here;
    cells.push({ have: here / (end - start), inFlight: flying, copies });
  }
  const copies = copiesOf(availability.subarray(0, count));
  return { cells, have: total, count, each, copies };
}

function copiesOf(availability: Uint8Array): number {
  if (availability.length === 0) return 0;
  const least = availability.reduce((min, peers) => Math.min(min, peers), 255);
  const more = availability.reduce((n, peers) => n + Number(peers > least), 0);
  return least + more / availability.length;
}
