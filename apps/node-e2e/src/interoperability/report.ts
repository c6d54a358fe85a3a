/** The matrix as a table of docs/interoperability.md. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { python } from '../harness/libtorrent';
import { workspace } from '../harness/node';
import { release } from './webtorrent-partner';
import { cells, clients, nameOf, type Cell, type Client } from './cell';

export type Outcome = 'passed' | 'failed' | 'skipped';

const columns = (['v1', 'hybrid', 'v2'] as const).flatMap((format) =>
  (['torrent', 'magnet'] as const).map((source) => ({ format, source })),
);

const signs: Readonly<Record<Outcome, string>> = {
  passed: '✓',
  failed: '✗',
  skipped: 'not run',
};

const lines: Readonly<Record<Client, readonly string[]>> = {
  libtorrent: [
    python,
    '-c',
    'import libtorrent; print(libtorrent.__version__)',
  ],
  transmission: ['transmission-daemon', '--version'],
  aria2: ['aria2c', '--version'],
  webtorrent: [],
};

function versionOf(client: Client): string {
  const [command, ...args] = lines[client];
  if (!command) return `${client} ${release}`;
  // transmission-daemon tells it as if it were an error.
  const output = execFileSync('sh', ['-c', '"$0" "$@" 2>&1', command, ...args]);
  const version = /\d+(?:\.\d+)+/.exec(output.toString())?.[0] ?? '';
  return `${client} ${version}`;
}

function row(
  like: Omit<Cell, 'format' | 'source'>,
  outcomes: ReadonlyMap<string, Outcome>,
): string {
  const signsOf = columns.map((column) => {
    const cell = { ...like, ...column };
    const known = cells.some((each) => nameOf(each) === nameOf(cell));
    return known ? signs[outcomes.get(nameOf(cell)) ?? 'skipped'] : '–';
  });
  const head = [`ours ${like.ours}`, like.transport === 'tcp' ? 'TCP' : 'uTP'];
  return `| ${[...head, like.encryption, ...signsOf].join(' | ')} |`;
}

/** `outcomes` by name of the cell. */
export function writeReport(outcomes: ReadonlyMap<string, Outcome>): void {
  const titles = columns.map(({ format, source }) => `${format} .${source}`);
  const head = `| | | | ${titles.join(' | ').replaceAll('.magnet', 'magnet')} |\n|${'---|'.repeat(3 + columns.length)}`;
  const tables = clients.map((client) => {
    const rows = (['seeds', 'downloads'] as const).flatMap((ours) =>
      (['tcp', 'utp'] as const).flatMap((transport) =>
        (['plain', 'encrypted'] as const)
          .filter(() =>
            cells.some((c) => c.client === client && c.transport === transport),
          )
          .map((encryption) =>
            row({ client, ours, transport, encryption }, outcomes),
          ),
      ),
    );
    return `## ${versionOf(client)}\n\n${[head, ...rows].join('\n')}\n`;
  });
  const path = join(workspace, 'docs/interoperability.md');
  writeFileSync(path, `${introduction}\n${tables.join('\n')}`);
}

const introduction = `# Interoperability

Written by \`npx nx interoperability node-e2e\`. Each ✓ is one transfer between a node and another client whose SHA-256 was right; the transport and the encryption were forced, so that nothing else could have carried it. – : the client does not have it: no uTP in aria2, no v2 in any but libtorrent, and of hybrid torrents aria2 1.36 computes another info-hash than everybody else, and Transmission 3.00 says that they are corrupt.
`;
