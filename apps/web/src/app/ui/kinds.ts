/** How a kind of file looks, and how the page can show a file. */
import type { Kind } from '@dnd/kinds';
import type { IconName } from './icons';

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

/** Whether opening means playing. */
export const plays = (kind: Kind): boolean =>
  kind === 'video' || kind === 'audio';

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
  const ending = /\.([^./]+)$/.exec(name)?.[1].toLowerCase() ?? '';
  return (Object.keys(shown) as Show[]).find((show) =>
    shown[show].split(' ').includes(ending),
  );
}
