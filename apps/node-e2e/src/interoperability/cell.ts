/** The cells of the matrix: what is combined, and what a client does not have. */
import type { MetainfoFormat } from '@dnd/metainfo';

export const clients = [
  'libtorrent',
  'transmission',
  'aria2',
  'webtorrent',
] as const;
export type Client = (typeof clients)[number];

export interface Cell {
  readonly client: Client;
  /** What our node does. */
  readonly ours: 'seeds' | 'downloads';
  readonly transport: 'tcp' | 'utp';
  readonly encryption: 'plain' | 'encrypted';
  readonly format: MetainfoFormat;
  /** What the downloader is given. */
  readonly source: 'torrent' | 'magnet';
}

/**
 * What each client has. Of a hybrid torrent aria2 1.36 computes another info-hash than everybody else,
 * and Transmission 3.00 says that it is corrupt.
 */
const abilities: Readonly<
  Record<
    Client,
    {
      readonly transports: readonly Cell['transport'][];
      readonly formats: readonly MetainfoFormat[];
    }
  >
> = {
  libtorrent: {
    transports: ['tcp', 'utp'],
    formats: ['v1', 'hybrid', 'v2'],
  },
  transmission: { transports: ['tcp', 'utp'], formats: ['v1'] },
  aria2: { transports: ['tcp'], formats: ['v1'] },
  webtorrent: { transports: ['tcp', 'utp'], formats: ['v1', 'hybrid'] },
};

function* combined(): Generator<Cell> {
  for (const client of clients)
    for (const format of abilities[client].formats)
      for (const transport of abilities[client].transports)
        for (const ours of ['seeds', 'downloads'] as const)
          for (const encryption of ['plain', 'encrypted'] as const)
            for (const source of ['torrent', 'magnet'] as const)
              yield { client, ours, transport, encryption, format, source };
}

export const cells: readonly Cell[] = [...combined()];

export const nameOf = (cell: Cell): string =>
  `${cell.client}: ours ${cell.ours}, ${cell.transport}, ${cell.encryption}, ${cell.format}, by ${cell.source}`;

/** The cells of every test run: each ability of ours with somebody. Transmission takes its time, so there is one of it. */
const selected = new Set([
  'libtorrent: ours seeds, tcp, plain, v2, by magnet',
  'libtorrent: ours seeds, utp, encrypted, hybrid, by magnet',
  'libtorrent: ours downloads, tcp, encrypted, hybrid, by magnet',
  'libtorrent: ours downloads, utp, plain, v2, by torrent',
  'transmission: ours seeds, utp, encrypted, v1, by torrent',
  'aria2: ours seeds, tcp, encrypted, v1, by magnet',
  'aria2: ours downloads, tcp, encrypted, v1, by torrent',
]);

export const selection: readonly Cell[] = cells.filter((cell) =>
  selected.has(nameOf(cell)),
);
