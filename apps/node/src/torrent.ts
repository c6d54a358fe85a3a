/** .torrent files as this program takes them: also those of empty files, which the catalogue lists like any other. */
import {
  MetainfoError,
  parseInfo,
  parseMagnet,
  parseTorrent,
  type Magnet,
  type Metainfo,
  type MetainfoExtras,
  type ReadRules,
} from '@dnd/metainfo';
import { SeamError } from './rpc/seam-error';

export const readRules: ReadRules = { empty: true };

/** Throws SeamError `bad-input` with a sentence for people. */
export function readTorrent(bytes: Uint8Array): Metainfo {
  return understood('this .torrent', () => parseTorrent(bytes, readRules));
}

/** Throws SeamError `bad-input`. */
export function readInfo(bytes: Uint8Array, extras: MetainfoExtras): Metainfo {
  return understood('the metadata that peers gave', () =>
    parseInfo(bytes, extras, readRules),
  );
}

/** Throws SeamError `bad-input`. */
export function readMagnet(uri: string): Magnet {
  return understood('this magnet link', () => parseMagnet(uri));
}

/** MetainfoErrors of `read` as the answer to whoever sent `what`. */
export function understood<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MetainfoError)) throw error;
    throw new SeamError(
      'bad-input',
      `${what} cannot be used: ${error.message}`,
    );
  }
}
