import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { workspaceRoot } from '@nx/devkit';
import { formatMagnet, type Magnet, parseMagnet } from './magnet';
import { MetainfoError } from './metainfo-error';

interface ParseCase {
  readonly id: string;
  readonly uri: string;
  readonly must: 'accept' | 'reject' | 'either';
  readonly expect: Record<string, unknown> | null;
}

interface MakeCase {
  readonly id: string;
  readonly in: {
    readonly v1?: string;
    readonly v2?: string;
    readonly file_priorities?: number[];
    readonly selected?: number[];
    readonly peers?: [string, number][];
  };
  readonly uri?: string;
  readonly uri_any_of?: string[];
}

const file = join(workspaceRoot, '../shared/cases/magnets.json');
const table: { parse: ParseCase[]; make: MakeCase[] } = existsSync(file)
  ? JSON.parse(readFileSync(file, 'utf8'))
  : { parse: [], make: [] };

const hex = (bytes?: Uint8Array) =>
  bytes ? Buffer.from(bytes).toString('hex') : null;
const pairs = (list: Magnet['peers']) =>
  list.map(({ host, port }) => [host, port]);

/** A magnet in the table's words. */
const readers: Record<string, (magnet: Magnet) => unknown> = {
  v1: (magnet) => hex(magnet.infoHashV1),
  v2: (magnet) => hex(magnet.infoHashV2),
  name: (magnet) => magnet.name,
  name_length: (magnet) => magnet.name?.length,
  trackers: (magnet) => magnet.announce.flat(),
  trackers_any_order: (magnet) => magnet.announce.flat().sort(),
  tiers: (magnet) => magnet.announce.map((_, i) => i),
  web_seeds: (magnet) => magnet.webSeeds,
  peers: (magnet) => pairs(magnet.peers),
  peers_dedup: (magnet) => pairs(magnet.peers),
  dht_nodes: (magnet) => pairs(magnet.nodes),
  selected_files: (magnet) => magnet.selectedFiles ?? null,
};

function parse(uri: string): Magnet | undefined {
  try {
    return parseMagnet(uri);
  } catch (error) {
    if (error instanceof MetainfoError) return undefined;
    throw error;
  }
}

const present = table.parse.length > 0 ? describe : describe.skip;
present('the shared magnet links', () => {
  it.each(table.parse.map((c) => [c.id, c] as const))('reads %s', (_, c) => {
    const magnet = parse(c.uri);
    if (c.must !== 'either')
      expect(magnet !== undefined).toBe(c.must === 'accept');
    if (!magnet) return;
    for (const [field, wanted] of Object.entries(c.expect ?? {})) {
      if (field === 'scrape') continue;
      expect([field, readers[field](magnet)]).toEqual([field, wanted]);
    }
  });

  it.each(table.make.map((c) => [c.id, c] as const))('writes %s', (_, c) => {
    const { v1, v2, peers = [], file_priorities: priorities = [] } = c.in;
    const wanted = priorities.flatMap((p, i) => (p > 0 ? [i] : []));
    const uri = formatMagnet({
      ...(v1 && { infoHashV1: Buffer.from(v1, 'hex') }),
      ...(v2 && { infoHashV2: Buffer.from(v2, 'hex') }),
      peers: peers.map(([host, port]) => ({ host, port })),
      selectedFiles:
        c.in.selected ?? (wanted.length < priorities.length ? wanted : []),
    });
    expect(c.uri_any_of ?? [c.uri]).toContain(uri);
  });
});

it('has a table to read, or none at all', () => {
  expect(existsSync(file) ? table.parse.length : 92).toBe(92);
});
