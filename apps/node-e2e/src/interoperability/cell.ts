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

/** What each client has beside v1 over TCP. */
const abilities: Readonly<
  Record<Client, Pick<Cell, 'transport' | 'format'>[]>
> = {
  libtorrent: [
    { transport: 'tcp', format: 'v1' },
    { transport: 'tcp', format: 'hybrid' },
    { transport: 'tcp', format: 'v2' },
    { transport: 'utp', format: 'v1' },
    { transport: 'utp', format: 'hybrid' },
    { transport: 'utp', format: 'v2' },
  ],
  transmission: [
    { transport: 'tcp', format: 'v1' },
    { transport: 'tcp', format: 'hybrid' },
    { transport: 'utp', format: 'v1' },
    { transport: 'utp', format: 'hybrid' },
  ],
  aria2: [
    { transport: 'tcp', format: 'v1' },
    { transport: 'tcp', format: 'hybrid' },
  ],
  webtorrent: [
    { transport: 'tcp', format: 'v1' },
    { transport: 'tcp', format: 'hybrid' },
    { transport: 'utp', format: 'v1' },
    { transport: 'utp', format: 'hybrid' },
  ],
};

export const cells: readonly Cell[] = clients.flatMap((client) =>
  abilities[client].flatMap((ability) =>
    (['seeds', 'downloads'] as const).flatMap((ours) =>
      (['plain', 'encrypted'] as const).flatMap((encryption) =>
        (['torrent', 'magnet'] as const).map((source) => ({
          client,
          ours,
          encryption,
          source,
          ...ability,
        })),
      ),
    ),
  ),
);

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
