import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { workspaceRoot } from '@nx/devkit';
import { MetainfoError } from './metainfo-error';
import type { Metainfo } from './metainfo';
import { parseTorrent } from './parse-torrent';

interface Observed {
  readonly kind: string;
  readonly name: string;
  readonly total_size: number;
  readonly content_size: number;
  readonly piece_length: number;
  readonly num_pieces: number;
  readonly num_files: number;
  readonly num_pad_files: number;
  readonly v1: string | null;
  readonly v2: string | null;
  readonly private: boolean;
  readonly tracker_tiers: string[][];
  readonly web_seeds_bep19: string[];
  readonly comment?: string;
  readonly creation_date?: number;
  readonly nodes?: [string, number][];
  readonly files: { path: string; size: number; attr: string; root?: string }[];
  readonly files_truncated_at?: number;
}

interface Case {
  readonly file: string;
  readonly verdict: 'accept' | 'reject' | 'either';
  readonly error_kind?: string;
  readonly raw_info_sha1?: string;
  readonly raw_info_sha256?: string;
  readonly as_parsed_by_libtorrent_2_0_8: Observed | null;
  readonly stated_by_upstream_test?: {
    readonly paths?: string[];
    readonly roots?: string[];
    readonly sizes?: number[];
    readonly web_seeds?: string[];
    readonly web_seed_count?: number;
    readonly trackers_dedup?: string[];
    readonly trackers_first?: string;
    readonly nodes?: [string, number][];
    readonly symlinks?: Record<string, string>;
  };
}

const folder = join(workspaceRoot, '../shared/cases');
const table = join(folder, 'torrents.json');
const cases: Case[] = existsSync(table)
  ? JSON.parse(readFileSync(table, 'utf8')).torrents
  : [];

/** Where the table tells causes apart that are one to us. */
const kinds: Record<string, string> = {
  'pieces-string-not-matching': 'pieces-count-mismatch',
  'pieces-string-not-multiple-of-20': 'pieces-count-mismatch',
};

const hex = (bytes?: Uint8Array) =>
  bytes ? Buffer.from(bytes).toString('hex') : null;
/** Elements that are empty once made safe become `_` here, and vanish in the observed version. */
const bare = (path: string) =>
  path
    .split('/')
    .filter((element) => element !== '_')
    .join('/');
/** A name that was cut to 240 bytes and its extension, cut to 255 with it instead. */
const cutName = (name: string) => `${name.slice(0, 240)}abcdef.23456789`;
const stored = (metainfo: Metainfo) =>
  metainfo.files.filter((file) => !file.pad);

function parse(c: Case): Metainfo | MetainfoError {
  try {
    return parseTorrent(readFileSync(join(folder, 'torrents', c.file)));
  } catch (error) {
    if (error instanceof MetainfoError) return error;
    throw error;
  }
}

function accepted(c: Case): Metainfo {
  const parsed = parse(c);
  if (parsed instanceof MetainfoError) throw parsed;
  return parsed;
}

const rejects = cases.filter((c) => c.verdict === 'reject');
const either = cases.filter((c) => c.verdict === 'either');
const accepts = cases.filter((c) => c.verdict === 'accept');
const present = cases.length > 0 ? describe : describe.skip;

present('the shared torrents', () => {
  it.each(rejects.map((c) => [c.file, c] as const))('refuses %s', (_, c) => {
    const parsed = parse(c);
    expect(parsed).toBeInstanceOf(MetainfoError);
    const kind = c.error_kind ?? '';
    expect((parsed as MetainfoError).code).toBe(kinds[kind] ?? kind);
  });

  it.each(either.map((c) => [c.file, c] as const))('survives %s', (_, c) => {
    expect(parse(c)).toBeDefined();
  });

  it.each(accepts.map((c) => [c.file, c] as const))('reads %s', (_, c) => {
    const metainfo = accepted(c);
    const seen = c.as_parsed_by_libtorrent_2_0_8 as Observed;
    expect(metainfo).toMatchObject({
      format: seen.kind,
      name: c.file.includes('long_name') ? cutName(seen.name) : seen.name,
      pieceLength: seen.piece_length,
      pieceCount: seen.num_pieces,
      size: seen.content_size,
      private: seen.private,
    });
    expect(hex(metainfo.infoHashV1)).toBe(seen.v1);
    expect(hex(metainfo.infoHashV2)).toBe(seen.v2);
    if (seen.v1) expect(seen.v1).toBe(c.raw_info_sha1);
    if (seen.v2) expect(seen.v2).toBe(c.raw_info_sha256);
    expect(metainfo.id).toBe(seen.v1 ?? seen.v2?.slice(0, 40));
    // The observed version pads the last file of a v2 torrent too.
    if (seen.kind !== 'v2') expect(metainfo.length).toBe(seen.total_size);
    expect(metainfo.createdAt).toBe(seen.creation_date || undefined);
  });

  it.each(accepts.map((c) => [c.file, c] as const))('lists %s', (_, c) => {
    const metainfo = accepted(c);
    const seen = c.as_parsed_by_libtorrent_2_0_8 as Observed;
    const stated = c.stated_by_upstream_test ?? {};
    const observed = seen.files.filter((file) => !file.attr.includes('p'));
    const files = stored(metainfo).slice(0, observed.length);
    if (seen.files_truncated_at === undefined) {
      expect(stored(metainfo)).toHaveLength(observed.length);
    }
    observed.slice(0, files.length).forEach((file, i) => {
      expect(files[i].length).toBe(file.size);
      if (file.root) expect(hex(files[i].piecesRoot)).toBe(file.root);
      expect(files[i].executable ?? false).toBe(file.attr.includes('x'));
    });
    const paths = files.map((file) => file.path.join('/'));
    const statedPaths = stated.paths?.map((path) =>
      path.replace('\ufffd', '_'),
    );
    if (statedPaths) {
      expect(metainfo.files.map((f) => f.path.join('/'))).toEqual(statedPaths);
    } else if (!/invalid_filename|long_name/.test(c.file)) {
      expect(paths.map(bare)).toEqual(
        observed.slice(0, files.length).map((file) => bare(file.path)),
      );
    }
    for (const [index, target] of Object.entries(stated.symlinks ?? {})) {
      expect(metainfo.files[Number(index)].symlink?.join('/')).toBe(target);
    }
  });

  it.each(accepts.map((c) => [c.file, c] as const))('finds %s', (_, c) => {
    const metainfo = accepted(c);
    const seen = c.as_parsed_by_libtorrent_2_0_8 as Observed;
    const stated = c.stated_by_upstream_test ?? {};
    const trackers = stated.trackers_dedup ?? [
      ...new Set(seen.tracker_tiers.flat()),
    ];
    expect(metainfo.announce.flat()).toEqual(trackers);
    if (!stated.trackers_dedup) {
      expect(metainfo.announce).toHaveLength(
        seen.tracker_tiers.filter((tier, i, all) =>
          tier.some((url) => !all.slice(0, i).flat().includes(url)),
        ).length,
      );
    }
    if (stated.web_seeds) expect(metainfo.webSeeds).toEqual(stated.web_seeds);
    else {
      const http = seen.web_seeds_bep19.filter((url) => /^http/.test(url));
      expect([...metainfo.webSeeds].sort()).toEqual([...new Set(http)].sort());
    }
    const nodes = stated.nodes ?? seen.nodes ?? [];
    expect(metainfo.nodes).toEqual(
      nodes.map(([host, port]) => ({ host, port })),
    );
  });
});

it('has a table to read, or none at all', () => {
  expect(existsSync(table) ? cases.length : 180).toBe(180);
});
