/** What is wrong with a .torrent, an info dictionary, a magnet link or a plan. */
export type MetainfoErrorCode =
  | 'invalid-bencoding'
  | 'nesting-too-deep'
  | 'too-large'
  | 'not-a-dictionary'
  | 'missing-info'
  | 'unknown-version'
  | 'missing-name'
  | 'invalid-name'
  | 'missing-piece-length'
  | 'piece-length-not-power-of-two'
  | 'missing-pieces'
  | 'pieces-count-mismatch'
  | 'invalid-length'
  | 'no-files'
  | 'too-many-files'
  | 'too-many-pieces'
  | 'too-many-duplicate-names'
  | 'directory-too-deep'
  | 'file-entry-parse-failed'
  | 'invalid-pad-file'
  | 'missing-pieces-root'
  | 'invalid-piece-layer'
  | 'v1-v2-files-differ'
  | 'folder-reads-as-file'
  | 'invalid-magnet';

const sentences: Record<MetainfoErrorCode, string> = {
  'invalid-bencoding': 'This is not a torrent file: its encoding is broken',
  'nesting-too-deep': 'The torrent nests its values too deeply',
  'too-large': 'This is larger than a torrent file may be',
  'not-a-dictionary': 'This is not a torrent file',
  'missing-info': 'The torrent has no info section',
  'unknown-version': 'The torrent is of a version this program does not know',
  'missing-name': 'The torrent or one of its files has no name',
  'invalid-name': 'A file name in the torrent is not text',
  'missing-piece-length': 'The piece length is missing or out of range',
  'piece-length-not-power-of-two':
    'The piece length is not a power of two of at least 16 KiB',
  'missing-pieces': 'The piece hashes are missing',
  'pieces-count-mismatch': 'The number of piece hashes does not fit the size',
  'invalid-length': 'A file length is missing or out of range',
  'no-files': 'The torrent contains no files',
  'too-many-files': 'The torrent contains too many files',
  'too-many-pieces': 'The torrent has too many pieces',
  'too-many-duplicate-names': 'Too many files of the torrent share one name',
  'directory-too-deep': 'The folders of the torrent are nested too deeply',
  'file-entry-parse-failed': 'A file entry of the torrent is malformed',
  'invalid-pad-file': 'A version 2 file is marked as padding',
  'missing-pieces-root': 'A version 2 file has no root hash',
  'invalid-piece-layer': 'The piece layers do not fit the files',
  'v1-v2-files-differ': 'The version 1 and version 2 file lists differ',
  'folder-reads-as-file':
    'In version 2 a folder whose only file has its own name reads as that file: take the file alone, or version 1',
  'invalid-magnet': 'This is not a BitTorrent magnet link',
};

/** The input cannot be used; `message` is a sentence for the user. Nothing else is thrown for bad input. */
export class MetainfoError extends Error {
  override readonly name = 'MetainfoError';

  /** @param detail what exactly, for the log; may be empty. */
  constructor(
    readonly code: MetainfoErrorCode,
    readonly detail = '',
    options?: ErrorOptions,
  ) {
    const sentence = sentences[code];
    super(detail ? `${sentence} (${detail}).` : `${sentence}.`, options);
  }
}
