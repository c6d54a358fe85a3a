/** What kind of thing a file is, by the end of its name; and how the page can show it. */
import type { IconName } from './icons';

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
  archive: 'zip 7z rar gz xz bz2 zst tar tgz iso img dmg',
  program: 'exe msi apk appimage deb rpm jar bin sh js py wasm',
};

const byEnding = new Map<string, Kind>(
  Object.entries(endings).flatMap(([kind, list]) =>
    list.split(' ').map((ending) => [ending, kind as Kind] as const),
  ),
);

const endingOf = (name: string): string =>
  /\.([^./]+)$/.exec(name)?.[1].toLowerCase() ?? '';

export const kindOf = (name: string): Kind =>
  byEnding.get(endingOf(name)) ?? 'other';

/** Of a torrent: several files are a folder. */
export const kindOfAll = (item: { name: string; files: number }): Kind =>
  item.files > 1 ? 'folder' : kindOf(item.name);

export const kindIcons: Record<Kind, IconName> = {
  video: 'video',
  audio: 'audio',
  image: 'image',
  document: 'document',
  archive: 'archive',
  program: 'program',
  folder: 'folder',
  other: 'file',
};

export type Show = 'video' | 'audio' | 'image' | 'pdf' | 'text';

const shown: Record<Show, string> = {
  video: 'mp4 m4v webm mov ogv mkv',
  audio: 'mp3 m4a aac flac ogg oga opus wav',
  image: 'jpg jpeg png gif webp avif bmp ico',
  pdf: 'pdf',
  text: 'txt md csv json xml log srt vtt nfo html htm svg js py sh ts css yml yaml ini',
};

/** How a browser can show it; undefined where it cannot. Markup and SVG are shown as text: they are somebody else's. */
export function showOf(name: string): Show | undefined {
  const ending = endingOf(name);
  return (Object.keys(shown) as Show[]).find((show) =>
    shown[show].split(' ').includes(ending),
  );
}
