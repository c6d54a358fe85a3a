/** A torrent whose short pieces go on with zeros, as peers of v2-only torrents ask for them (BEP 52 aligns files to pieces). */
import type { TorrentStorage } from '@dnd/storage';
import type { BlockSource } from './block-sender';

export class PaddedSource implements BlockSource {
  constructor(
    private readonly storage: Pick<
      TorrentStorage,
      'layout' | 'readNow' | 'read'
    >,
  ) {}

  readNow(piece: number, begin: number, into: Uint8Array): boolean {
    const real = this.real(piece, begin, into);
    if (real.length > 0 && !this.storage.readNow(piece, begin, real))
      return false;
    into.fill(0, real.length);
    return true;
  }

  async read(
    piece: number,
    begin: number,
    length: number,
    into: Uint8Array,
  ): Promise<Uint8Array> {
    const bytes = into.subarray(0, length);
    const real = this.real(piece, begin, bytes);
    if (real.length > 0)
      await this.storage.read(piece, begin, real.length, real);
    return bytes.fill(0, real.length);
  }

  /** The part that is content. */
  private real(piece: number, begin: number, into: Uint8Array): Uint8Array {
    const left = this.storage.layout.pieceSize(piece) - begin;
    return into.subarray(0, Math.max(0, Math.min(into.length, left)));
  }
}
