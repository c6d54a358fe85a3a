/** A made-up catalogue, the same in every run: words as frequent as words are (Zipf), comments, folders of files. */
import type { Entry } from '../../../apps/node/src/tracker/values';

const vocabulary = 30_000;
const endings = ['mkv', 'pdf', 'iso', 'zip', 'txt', 'mp3', 'epub', 'csv'];
const consonants = 'bcdfghjklmnprstvwz';
const vowels = 'aeiou';

/** xorshift32: 0 ≤ x < 1. */
export function dice(seed: number): () => number {
  let x = seed | 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) / 2 ** 32;
  };
}

/** The word of a rank: syllables, so that prefixes are shared as in a language. */
export function wordOf(rank: number): string {
  let text = '';
  for (let rest = rank + 1; rest > 0; rest = Math.floor(rest / 90))
    text +=
      consonants[rest % consonants.length] +
      vowels[Math.floor((rest % 90) / consonants.length)];
  return rank % 37 === 0 ? `${text}é` : text;
}

export function entriesOf(count: number): Entry[] {
  const random = dice(0x5eed);
  // Zipf: the rank's probability falls as 1 / rank.
  const word = (): string =>
    wordOf(Math.floor(vocabulary ** random()) - 1 + (random() < 0.5 ? 0 : 3));
  const words = (most: number): string =>
    Array.from({ length: 1 + Math.floor(random() * most) }, word).join(' ');
  return Array.from({ length: count }, (_, i) => {
    const files = random() < 0.3 ? 2 + Math.floor(60 * random() ** 2) : 1;
    const paths =
      files === 1
        ? ''
        : Array.from(
            { length: files },
            (__, k) => `${word()}/${words(3)} ${k}.${endings[k % 8]}`,
          ).join('\n');
    return {
      // Over all partitions.
      infoHash: (Math.imul(i + 1, 0x9e3779b1) >>> 0)
        .toString(16)
        .padStart(8, '0')
        .concat(i.toString(16).padStart(32, '0')),
      name: `${words(5)} ${1990 + (i % 37)}.${endings[i % 8]}`,
      size: Math.floor(Math.exp(random() * 24)),
      files,
      comment: random() < 0.5 ? words(12) : '',
      private: false,
      publisherId: Math.floor(random() * 500),
      publisherName: wordOf(Math.floor(random() * 500)),
      publishedAt: 1_700_000_000_000 + Math.floor(random() * 3e10),
      paths,
    };
  });
}

export interface Question {
  readonly kind: string;
  readonly search: string;
  readonly sort: 'name' | 'size' | 'date' | 'seeders';
  readonly order: 'asc' | 'desc';
  readonly offset: number;
}

const texts: Record<string, (turn: number) => string> = {
  everything: () => '',
  'broad word': (turn) => wordOf(turn % 5),
  'narrow word': (turn) => wordOf(20_000 + turn * 17),
  'one letter': (turn) => consonants[turn % consonants.length],
  'two letters': (turn) => wordOf(turn % 90).slice(0, 2),
  'three words': (turn) =>
    `${wordOf(turn % 9)} ${wordOf(turn % 40)} ${endings[turn % 8]}`,
  'word and letter': (turn) =>
    `${wordOf(turn % 60)} ${consonants[turn % consonants.length]}`,
  'not there': (turn) => `xq${turn}`,
};
export const kinds = Object.keys(texts);
const sorts = ['name', 'size', 'date', 'seeders'] as const;
const offsets = [0, 100, 5_000, 60_000];

/** Every kind of search with every order, from the first and from deep pages. */
export function* questionsOf(rounds: number): Generator<Question> {
  for (let turn = 0; turn < rounds; turn++)
    for (const kind of kinds)
      for (const sort of sorts)
        for (const order of ['asc', 'desc'] as const)
          yield {
            kind,
            search: texts[kind](turn),
            sort,
            order,
            offset: offsets[turn % offsets.length],
          };
}
