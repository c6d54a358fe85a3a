/**
 * Words as the catalogue's search compares them: case, accents and width folded. Scripts that put no
 * blanks between words are entered from every character on, so that any part of such a text is found.
 */
const word = /[\p{L}\p{N}\p{Co}\p{So}]+/gu;
const unspaced =
  /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]/u;
/** Characters of a word that count. */
const longest = 48;
const longestSuffix = 8;
/** Letters with a stroke or of two: Unicode does not take them apart. */
const letters: Record<string, string> = {
  ø: 'o',
  ł: 'l',
  đ: 'd',
  ħ: 'h',
  ŧ: 't',
  ı: 'i',
  æ: 'ae',
  œ: 'oe',
};
const stroked = new RegExp(`[${Object.keys(letters).join('')}]`, 'g');
const plain = /^\p{ASCII}*$/u;

/** Case and accents gone. */
export function fold(text: string): string {
  if (plain.test(text)) return text.toLowerCase();
  return text
    .normalize('NFKD')
    .replace(/\p{M}+/gu, '')
    .toUpperCase()
    .toLowerCase()
    .replace(stroked, (letter) => letters[letter]);
}

/** The words of a search, folded; at most `most`. */
export function wordsOf(text: string, most: number): string[] {
  const words = fold(text).match(word) ?? [];
  return words.slice(0, most).map((each) => each.slice(0, longest));
}

/** What a text is found by: its words, each once, at most `most`. */
export function termsOf(text: string, most: number): Set<string> {
  const terms = new Set<string>();
  for (const each of wordsOf(text, most)) {
    terms.add(each);
    if (!unspaced.test(each)) continue;
    const characters = [...each];
    for (let i = 1; i < characters.length && terms.size < most; i++)
      terms.add(characters.slice(i, i + longestSuffix).join(''));
  }
  return terms;
}

/** Orders names as people do: numbers inside them count as numbers up to twelve digits. */
export const sortable = (name: string): string =>
  fold(name).replace(/\d{1,12}/g, (digits) => digits.padStart(12, '0'));
