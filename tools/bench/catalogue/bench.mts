/**
 * Searches a made-up catalogue in one of several ways and prints how long the answers took (the 50th
 * and 99th percentile and the longest), by kind of search; memory and start beside them. CPU time is
 * what a search takes on an idle machine, the clock what it took on this one.
 * Each way runs in a process of its own: main.mjs starts them.
 */
import { mkdtempSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Catalogue } from '../../../apps/node/src/tracker/catalogue';
import { cataloguePlace } from '../../../apps/node/src/tracker/places';
import { encodeEntry, type Entry } from '../../../apps/node/src/tracker/values';
import { Fts5Catalogue } from './fts5.mts';
import { entriesOf, questionsOf, type Question } from './made-up.mts';

type Way = 'program' | 'fts5' | 'fts5-hybrid';
const [way, count, rounds] = [
  process.argv[2] as Way,
  Number(process.argv[3]),
  Number(process.argv[4]),
];
const slice = 50;

interface Searched {
  search(question: Question): { total: number; items: readonly Entry[] };
  /** What comes in beside the searches: some entries changed. */
  change?: (turn: number) => void;
}

const seedersOf = (i: number): number => Math.floor(50_000 / (1 + (i % 9_973)));

async function program(folder: string, entries: Entry[]): Promise<Searched> {
  mkdirSync(join(folder, '.node'));
  const filled = new Catalogue(folder);
  const take = (into: Catalogue, some: readonly Entry[]): void => {
    for (const entry of some)
      into.apply(cataloguePlace(entry.infoHash), [
        { item: entry.infoHash, value: encodeEntry(entry) },
      ]);
  };
  let longest = 0;
  for (let at = 0; at < entries.length; at += slice) {
    const began = performance.now();
    take(filled, entries.slice(at, at + slice));
    longest = Math.max(longest, performance.now() - began);
  }
  filled.close();
  say('longest pause while it is filled', `${longest.toFixed(1)} ms`);
  const catalogue = new Catalogue(folder);
  let pause = 0;
  let began = performance.now();
  const first = began;
  await catalogue.load(() => {
    pause = Math.max(pause, performance.now() - began);
    return new Promise((resolve) =>
      setImmediate(() => {
        began = performance.now();
        resolve();
      }),
    );
  });
  say(
    'start',
    `${(performance.now() - first).toFixed(0)} ms, longest pause ${pause.toFixed(1)} ms`,
  );
  entries.forEach(({ infoHash }, i) =>
    catalogue.setCounts(infoHash, {
      seeders: seedersOf(i),
      leechers: 0,
      at: 1,
    }),
  );
  return {
    // (`kind` is the bench's own word, and one that narrows the catalogue.)
    search: ({ search, sort, order, offset }) =>
      catalogue.search({ search, sort, order, offset, limit: 100 }),
    change: (turn) => {
      const entry = entries[(turn * 7919) % entries.length];
      take(catalogue, [{ ...entry, comment: `changed in turn ${turn}` }]);
    },
  };
}

function fts5(folder: string, entries: Entry[], hybrid: boolean): Searched {
  const file = join(folder, 'fts5.db');
  const catalogue = new Fts5Catalogue(file, hybrid);
  const began = performance.now();
  catalogue.fill(entries, seedersOf);
  say('filling', `${(performance.now() - began).toFixed(0)} ms`);
  const start = performance.now();
  catalogue.load();
  say('start', `${(performance.now() - start).toFixed(0)} ms`);
  return catalogue;
}

function ask(searched: Searched): void {
  const took = new Map<string, { wall: number; cpu: number }[]>();
  let turn = 0;
  let shown = 0;
  for (const question of questionsOf(rounds)) {
    if (turn++ % 8 === 0) searched.change?.(turn);
    const cpu = process.cpuUsage();
    const began = performance.now();
    const { items } = searched.search(question);
    const wall = performance.now() - began;
    const { user, system } = process.cpuUsage(cpu);
    shown += items.length;
    for (const kind of ['all', question.kind, `by ${question.sort}`]) {
      const all = took.get(kind) ?? [];
      all.push({ wall, cpu: (user + system) / 1_000 });
      took.set(kind, all);
    }
  }
  for (const [kind, all] of took)
    say(kind, `CPU ${figuresOf(all, 'cpu')}    wall ${figuresOf(all, 'wall')}`);
  say('searches', `${turn}, ${shown} entries shown`);
}

function figuresOf(
  all: readonly { wall: number; cpu: number }[],
  of: 'wall' | 'cpu',
): string {
  const sorted = all.map((each) => each[of]).sort((a, b) => a - b);
  const at = (share: number): string =>
    sorted[Math.floor((sorted.length - 1) * share)].toFixed(2).padStart(7);
  return `p50 ${at(0.5)} p99 ${at(0.99)} longest ${at(1)} ms`;
}

function say(what: string, figures: string): void {
  console.log(`${way.padEnd(12)} ${what.padEnd(34)} ${figures}`);
}

const megabytes = (): number => {
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().rss / 1e6;
};

const folder = mkdtempSync(join(tmpdir(), 'bench-catalogue-'));
try {
  const entries = entriesOf(count);
  const before = megabytes();
  const searched =
    way === 'program'
      ? await program(folder, entries)
      : fts5(folder, entries, way === 'fts5-hybrid');
  say('memory', `${(megabytes() - before).toFixed(0)} MB more`);
  ask(searched);
  say('memory after the searches', `${(megabytes() - before).toFixed(0)} MB`);
} finally {
  rmSync(folder, { recursive: true });
}
