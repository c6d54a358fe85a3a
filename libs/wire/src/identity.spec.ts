import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { workspaceRoot } from '@nx/devkit';
import { allowedFastSet } from './allowed-fast';
import { clientName, createPeerId } from './peer-id';
import { peerPriority } from './peer-priority';

const file = join(workspaceRoot, '../shared/cases/vectors.json');
const vectors = existsSync(file)
  ? JSON.parse(readFileSync(file, 'utf8'))
  : undefined;

interface PriorityVector {
  readonly a: string;
  readonly a_port?: number;
  readonly b: string;
  readonly b_port?: number;
  readonly priority: string;
}

interface FastVector {
  readonly k: number;
  readonly pieces: number;
  readonly info_hash: string;
  readonly ip: string;
  readonly set: number[];
}

const PRIORITIES: PriorityVector[] = [
  ...(vectors?.bep40_canonical_peer_priority.vectors ?? []),
  ...(vectors?.bep40_canonical_peer_priority.ipv6_masks_stated_by_libtorrent ??
    []),
  { a: '123.213.32.10', b: '98.76.54.32', priority: 'ec2d7224' },
  { a: '123.213.32.10', b: '123.213.32.234', priority: '99568189' },
];

const FAST_SETS: FastVector[] = [
  ...(vectors?.bep6_allowed_fast ?? []),
  {
    k: 7,
    pieces: 1313,
    info_hash: 'aa'.repeat(20),
    ip: '80.4.4.200',
    set: [1059, 431, 808, 1217, 287, 376, 1188],
  },
];

describe('peer priority', () => {
  it.each(PRIORITIES)('of $a and $b is $priority', (vector) => {
    const a = { address: parse(vector.a), port: vector.a_port ?? 0 };
    const b = { address: parse(vector.b), port: vector.b_port ?? 0 };
    const priority = Number.parseInt(vector.priority, 16);
    expect(peerPriority(a, b)).toBe(priority);
    expect(peerPriority(b, a)).toBe(priority);
  });
});

describe('the allowed-fast set', () => {
  it.each(FAST_SETS)('of $ip in $pieces pieces is $set', (vector) => {
    const hash = Buffer.from(vector.info_hash, 'hex');
    expect(
      allowedFastSet(parse(vector.ip), hash, vector.pieces, vector.k),
    ).toEqual(vector.set);
  });

  it('ends where there are fewer pieces than asked for', () => {
    const ip = parse('10.0.0.1');
    const hash = new Uint8Array(20);
    expect(allowedFastSet(ip, hash, 3).sort()).toEqual([0, 1, 2]);
    expect(allowedFastSet(ip, hash, 0)).toEqual([]);
    expect(allowedFastSet(new Uint8Array(16), hash, 100)).toEqual([]);
  });
});

describe('peer ids', () => {
  it('are ours and differ by what is random', () => {
    const id = createPeerId(new Uint8Array(12).fill(61));
    expect(Buffer.from(id).toString()).toBe('-DD0010-zzzzzzzzzzzz');
    expect(id).toHaveLength(20);
    expect(clientName(id)).toBe('D&D BitTorrent 0.0.1');
  });

  it.each([
    ['-qB4250-scysDI_JuVN3', 'qBittorrent 4.2.5'],
    ['-TR300Z-w4bd4mkebkbi', 'Transmission 3.00'],
    ['-TR4100-w4bd4mkebkbi', 'Transmission 4.1.0'],
    ['-LT2080-aaaaaaaaaaaa', 'libtorrent 2.0.8'],
    ['-lt0D80-aaaaaaaaaaaa', 'rTorrent 0.13.8'],
    ['-WW0201-aaaaaaaaaaaa', 'WebTorrent 2.1'],
    ['-DE211s-aaaaaaaaaaaa', 'Deluge 2.1.1'],
    ['A2-1-36-0-aaaaaaaaaa', 'aria2 1.36.0'],
    ['S58B-----aaaaaaaaaaa', "Shadow's client 5.8.11"],
    ['T03I-----aaaaaaaaaaa', 'BitTornado 0.3.18'],
    ['M7-10-5--aaaaaaaaaaa', 'BitTorrent 7.10.5'],
    ['-XX0000-aaaaaaaaaaaa', undefined],
    ['\0\0\0\0\0\0\0\0aaaaaaaaaaaa', undefined],
  ])('%s is %s', (id, name) => {
    expect(clientName(Buffer.from(id, 'latin1'))).toBe(name);
  });
});

function parse(address: string): Uint8Array {
  if (!address.includes(':'))
    return Uint8Array.from(address.split('.'), Number);
  return Buffer.concat(
    address.split(':').map((group) => Buffer.from(group, 'hex')),
  );
}
