/**
 * What a restart may believe: the record of the last run held against the files as they are now.
 * A file that was left alone has its pieces at once; one that changed is hashed again, one that is
 * gone is lost; and pieces that were written after the record was stored are worth a look.
 */
import { Bitfield, type FileLayout, type MetainfoFile } from '@dnd/metainfo';
import type { ResumeRecord } from './resume-record';
import type { FileStamp } from './torrent-files';

/** Something found at the start that the user should hear of. */
export interface FileNotice {
  readonly code: 'missing' | 'changed';
  readonly fileIndex: number;
}

export interface Recalled {
  /** Pieces to go by without a look. */
  readonly have: Bitfield;
  /** Pieces of which something lies on the disk, to be hashed before anything else is done with them. */
  readonly unchecked: Bitfield;
  readonly notices: readonly FileNotice[];
}

export interface RecallInput {
  readonly layout: FileLayout;
  readonly files: readonly MetainfoFile[];
  readonly record: ResumeRecord | undefined;
  readonly written: readonly number[];
  /** By file, as found; undefined: nothing there. */
  readonly found: readonly (FileStamp | undefined)[];
}

export function recall(input: RecallInput): Recalled {
  const { layout, record, found } = input;
  const count = layout.pieceCount;
  const unchecked = new Bitfield(count);
  const notices: FileNotice[] = [];
  const claimed = record && Bitfield.fromWire(record.pieces.slice(), count);
  const usable = claimed && record.files.length === found.length;
  const have = usable ? claimed.clone() : new Bitfield(count);
  found.forEach((now, fileIndex) => {
    const { pad, length } = input.files[fileIndex];
    if (pad || length === 0) return;
    const was = usable ? record.files[fileIndex] : undefined;
    const { first, end } = layout.piecesOf(fileIndex);
    if (usable && unchanged(record, was, now, claimed, first, end)) return;
    let claims = 0;
    for (let piece = first; piece < end; piece++) {
      if (usable && claimed.has(piece)) claims++;
      have.delete(piece);
      if (now) unchecked.add(piece);
    }
    if (was && claims > 0) {
      notices.push({ code: now ? 'changed' : 'missing', fileIndex });
    }
  });
  for (const piece of input.written) if (!have.has(piece)) unchecked.add(piece);
  dropAbsent(layout, found, unchecked);
  return { have, unchecked, notices };
}

/** Whether a file's claimed pieces (`first` … `end` − 1) can be believed. */
function unchanged(
  record: ResumeRecord,
  was: FileStamp | undefined,
  now: FileStamp | undefined,
  claimed: Bitfield,
  first: number,
  end: number,
): boolean {
  let claims = 0;
  for (let piece = first; piece < end; piece++)
    if (claimed.has(piece)) claims++;
  if (!now) return claims === 0 && !was;
  // Begun after the record was stored: nothing is claimed of it, and `written` knows the rest.
  if (!was) return claims === 0 && record.writing && now.place === 'partial';
  if (was.size !== now.size) return false;
  if (was.mtimeNs === now.mtimeNs) return true;
  return record.writing && claims < end - first && now.mtimeNs > was.mtimeNs;
}

/** A piece can only be there when all its files are. */
function dropAbsent(
  layout: FileLayout,
  found: RecallInput['found'],
  unchecked: Bitfield,
): void {
  for (let piece = 0; piece < layout.pieceCount; piece++) {
    if (!unchecked.has(piece)) continue;
    const size = layout.pieceSize(piece);
    layout.each(layout.pieceOffset(piece), size, (fileIndex) => {
      if (!found[fileIndex]) unchecked.delete(piece);
    });
  }
}
