/** A text as it is searched and sorted: without case and accents. */
export const searchable = (text: string): string =>
  text
    .normalize('NFD')
    .replace(/\p{Diacritic}/gu, '')
    .toLowerCase();

/** Whether every word of `wanted` is somewhere in `key`; both are searchable texts. */
export const matches = (key: string, wanted: string): boolean =>
  wanted.split(/\s+/).every((word) => key.includes(word));
