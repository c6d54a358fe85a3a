/**
 * What kind of thing a file is, by the end of its name. The node filters the catalogue by it and the
 * page draws it, so both have it from here. What is inside a file is never looked at.
 */
export const kinds = [
  'video',
  'audio',
  'image',
  'document',
  'archive',
  'program',
  'folder',
  'other',
] as const;
export type Kind = (typeof kinds)[number];

const endings: Record<Exclude<Kind, 'folder' | 'other'>, string> = {
  video: 'mp4 m4v mkv webm mov avi ogv mpg mpeg ts m2ts wmv flv',
  audio: 'mp3 m4a aac flac ogg oga opus wav wma aiff',
  image: 'jpg jpeg png gif webp avif bmp svg tif tiff heic ico',
  document:
    'pdf txt md epub mobi doc docx odt xls xlsx ods ppt pptx odp rtf csv json xml html htm log srt vtt nfo',
  archive: 'zip 7z rar gz xz bz2 zst tar tgz iso img dmg zim',
  program: 'exe msi apk appimage deb rpm jar bin sh js py wasm',
};

const byEnding = new Map<string, Kind>(
  Object.entries(endings).flatMap(([kind, list]) =>
    list.split(' ').map((ending) => [ending, kind as Kind] as const),
  ),
);

/** Of one file. */
export const kindOf = (name: string): Kind =>
  byEnding.get(endingOf(name)) ?? 'other';

/** Of a torrent: several files are a folder. */
export const kindOfAll = (item: {
  readonly name: string;
  readonly files: number;
}): Kind => (item.files > 1 ? 'folder' : kindOf(item.name));

/** What follows the last dot, in lower case; empty where there is none. */
function endingOf(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot < 0 ? '' : name.slice(dot + 1).toLowerCase();
}
