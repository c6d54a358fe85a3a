/** Bounds on what a torrent may claim. They leave room above what is met in the wild. */

/** A .torrent or info dictionary, bytes. */
export const MAX_TORRENT_BYTES = 64 * 1024 * 1024;
/** Bencoded values and keys in one. */
export const MAX_VALUES = 2_000_000;
export const MAX_FILES = 200_000;
export const MAX_PIECES = 2 ** 21;
/** The largest v1 piece, bytes: just under 512 MiB. */
export const MAX_PIECE_LENGTH = (2 ** 15 - 1) * 16_384;
/** One file or all of them, bytes. */
export const MAX_LENGTH = 2 ** 48;
/** One file of a v2 torrent, bytes. */
export const MAX_V2_FILE_LENGTH = (2 ** 30 - 2) * 16_384;
/** Trackers, web seeds, nodes: of each kind. */
export const MAX_ADDRESSES = 1_000;
/** An address, bytes. */
export const MAX_URL_BYTES = 4_096;
