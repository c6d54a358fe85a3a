/**
 * Which documents have a word that begins so: an inverted index in memory. Documents are small whole
 * numbers, added in rising order and never changed; whoever drops one ignores its number from then on.
 */
import { Bits } from './bits';

interface Postings {
  list: Int32Array;
  length: number;
}

export class WordIndex {
  /** A term's only document, or all of them. */
  private readonly postings = new Map<string, number | Postings>();
  private sorted: string[] = [];
  private unsorted: string[] = [];

  /** Different terms. */
  get terms(): number {
    return this.postings.size;
  }

  /** `document` is above all that were added before. */
  add(document: number, terms: Iterable<string>): void {
    for (const term of terms) {
      const known = this.postings.get(term);
      if (known === undefined) {
        this.postings.set(term, document);
        this.unsorted.push(term);
        if (this.unsorted.length >= enough(this.sorted.length)) this.sort();
      } else if (typeof known === 'number') {
        const list = Int32Array.of(known, document, 0, 0);
        this.postings.set(term, { list, length: 2 });
      } else append(known, document);
    }
  }

  /** The documents that have, for each of `words`, a term that begins with it. */
  match(words: readonly string[], documents: number): Bits {
    this.sort();
    const found = new Bits(documents);
    const [first, ...rest] = words;
    if (first === undefined) return found;
    this.collect(first, found);
    for (const word of rest) {
      const more = new Bits(documents);
      this.collect(word, more);
      found.keepOnly(more);
    }
    return found;
  }

  private collect(prefix: string, into: Bits): void {
    const { sorted } = this;
    for (let i = firstFrom(sorted, prefix); i < sorted.length; i++) {
      const term = sorted[i];
      if (!term.startsWith(prefix)) return;
      const known = this.postings.get(term);
      if (known === undefined) continue;
      if (typeof known === 'number') into.set(known);
      else for (let k = 0; k < known.length; k++) into.set(known.list[k]);
    }
  }

  private sort(): void {
    const { sorted } = this;
    const fresh = this.unsorted;
    if (fresh.length === 0) return;
    this.unsorted = [];
    if (fresh.length > few) this.sorted = merged(sorted, fresh.sort());
    else
      for (const term of fresh) sorted.splice(firstFrom(sorted, term), 0, term);
  }
}

/** So few terms are put in their places one by one. */
const few = 64;
/** Terms not in order yet, beyond which they are put there at once: many little pauses instead of a long one. */
const enough = (sorted: number): number => Math.max(2_000, sorted >> 4);

function append(postings: Postings, document: number): void {
  if (postings.length === postings.list.length) {
    const grown = new Int32Array(Math.ceil(postings.length * 1.5));
    grown.set(postings.list);
    postings.list = grown;
  }
  postings.list[postings.length++] = document;
}

function firstFrom(sorted: readonly string[], prefix: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < prefix) low = middle + 1;
    else high = middle;
  }
  return low;
}

function merged(a: readonly string[], b: readonly string[]): string[] {
  const all: string[] = new Array<string>(a.length + b.length);
  for (let i = 0, j = 0, k = 0; k < all.length; k++)
    all[k] = j === b.length || (i < a.length && a[i] < b[j]) ? a[i++] : b[j++];
  return all;
}
