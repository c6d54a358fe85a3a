/** What the stand-in node pretends: a catalogue, downloads that move, a ring. The same seed gives the same world. */

export type State =
  | 'queued'
  | 'fetching-metadata'
  | 'checking'
  | 'downloading'
  | 'paused'
  | 'seeding'
  | 'completed'
  | 'failed'
  | 'cancelled';

export interface Download {
  readonly id: string;
  readonly infoHash: string;
  readonly name: string;
  readonly size: number;
  readonly files: number;
  readonly state: State;
  reason?: string;
  readonly completedBytes: number;
  readonly downloadRate: number;
  readonly uploadRate: number;
  readonly uploadedBytes: number;
  readonly peers: number;
  readonly seeds: number;
  eta?: number;
  readonly addedAt: string;
  readonly completedAt?: string;
  readonly published: boolean;
  readonly sequential: boolean;
  readonly downloadLimit: number;
  readonly uploadLimit: number;
}

export const hostileName = '<img src=x onerror="window.hacked=1">.mp4';

const names = [
  'Big Buck Bunny 2160p.mp4',
  'Sintel (2010)',
  'debian-13.2.0-amd64-netinst.iso',
  'Cosmos Laundromat – First Cycle.webm',
  'Wikipedia offline ES 2026-10.zim',
  'Grabaciones del concierto de primavera – Año 2026',
  hostileName,
  'Nausicaä 風の谷 soundtrack.flac',
  'OpenStreetMap planet extract – Andalucía.osm.pbf',
  'photos-from-the-summer-party 🎉',
  'The quick brown fox jumps over the lazy dog and then goes on to write a file name that is far too long for any column.pdf',
  'notes.txt',
  'Linux kernel 6.18 source.tar.xz',
  'Blender 5.0 linux x64.tar.xz',
  'Librivox – Don Quijote de la Mancha',
  'field-recordings-2026.wav',
];
const publishers = ['ana', 'casa-grande', 'zen-garden', 'portátil de Miguel'];
export const hour = 3_600_000;

/** A small linear congruential generator: 0 ≤ x < 1. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

export const hashOf = (n: number): string =>
  Array.from({ length: 5 }, (_, i) =>
    (Math.imul(n + 1, 2_654_435_761 + i * 40_503) >>> 0)
      .toString(16)
      .padStart(8, '0'),
  ).join('');

const nameOf = (n: number): string =>
  n < names.length ? names[n] : `${n} ${names[n % names.length]}`;

const sizeOf = (n: number): number =>
  n === 11 ? 12_345 : Math.round(10 ** (5 + ((n * 7) % 47) / 10));

const filesOf = (n: number): number => ([1, 9, 14].includes(n % 16) ? 14 : 1);

export const catalogueEntry = (n: number, now: number) => ({
  infoHash: hashOf(n),
  name: nameOf(n),
  size: sizeOf(n),
  files: filesOf(n),
  ...(n % 3 === 0 ? { comment: 'Free to share. Mirrors welcome.' } : {}),
  publisher: { id: 1000 + (n % 4), name: publishers[n % 4] },
  publishedAt: new Date(now - (n + 1) * 0.7 * hour).toISOString(),
  seeders: (n * 13) % 41,
  leechers: (n * 5) % 17,
});

const kindsByEnding: Record<string, string> = {
  mp4: 'video',
  webm: 'video',
  flac: 'audio',
  wav: 'audio',
  pdf: 'document',
  txt: 'document',
  iso: 'archive',
  zim: 'archive',
  xz: 'archive',
};

export type Entry = ReturnType<typeof catalogueEntry>;

/** As the node's own filter does, for the names of this world. */
export const traits = {
  kind: ({ name, files }: Entry): string =>
    files > 1
      ? 'folder'
      : (kindsByEnding[name.split('.').at(-1) ?? ''] ?? 'other'),
  publisher: ({ publisher }: Entry): string => String(publisher.id),
  health: ({ seeders }: Entry): string =>
    seeders === 0 ? 'none' : seeders < 3 ? 'few' : 'good',
};
export type Trait = keyof typeof traits;

const states: readonly State[] = [
  'downloading',
  'downloading',
  'seeding',
  'paused',
  'downloading',
  'completed',
  'failed',
  'queued',
  'checking',
  'fetching-metadata',
  'downloading',
  'seeding',
  'cancelled',
];

export function download(n: number, now: number): Download {
  const state = states[n % states.length];
  const known = state !== 'fetching-metadata';
  const size = known ? sizeOf(n) + 1_000_000 : 0;
  const whole = state === 'seeding' || state === 'completed';
  const part = whole ? 1 : state === 'queued' ? 0 : ((n * 29) % 90) / 100;
  const moving = state === 'downloading' && n % 5 !== 4;
  return {
    id: hashOf(n),
    infoHash: hashOf(n),
    name: nameOf(n),
    size,
    files: filesOf(n),
    state,
    ...(state === 'failed' ? { reason: 'disk full: 3.2 GB missing' } : {}),
    completedBytes: Math.round(size * part),
    downloadRate: moving ? 400_000 + ((n * 977_777) % 9_000_000) : 0,
    uploadRate: state === 'seeding' ? (n * 333_331) % 3_000_000 : 0,
    uploadedBytes: Math.round(size * (((n * 17) % 30) / 10)),
    peers: moving || state === 'seeding' ? 1 + (n % 23) : 0,
    seeds: moving ? n % 5 : 0,
    addedAt: new Date(now - (n + 1) * 1.3 * hour).toISOString(),
    ...(whole ? { completedAt: new Date(now - n * hour).toISOString() } : {}),
    published: whole && n % 2 === 0,
    sequential: false,
    downloadLimit: 0,
    uploadLimit: 0,
  };
}

/** A step of `seconds`. */
export function moved(d: Download, seconds: number, chance: number): Download {
  if (d.state === 'seeding') {
    const uploadRate = Math.round(d.uploadRate * (0.85 + 0.3 * chance));
    return {
      ...d,
      uploadRate,
      uploadedBytes: d.uploadedBytes + uploadRate * seconds,
    };
  }
  if (d.state !== 'downloading' || d.downloadRate === 0) return d;
  const downloadRate = Math.round(
    Math.min(2e7, Math.max(50_000, d.downloadRate * (0.85 + 0.31 * chance))),
  );
  const completedBytes = Math.min(
    d.size,
    Math.round(d.completedBytes + downloadRate * seconds),
  );
  if (completedBytes === d.size) {
    const rest = { ...d };
    delete rest.eta;
    return { ...rest, state: 'seeding', completedBytes, downloadRate: 0 };
  }
  const eta = Math.round((d.size - completedBytes) / downloadRate);
  return { ...d, downloadRate, completedBytes, eta };
}

export function treeOf(name: string, size: number, files: number) {
  if (files === 1) return [{ index: 0, path: name, size }];
  return Array.from({ length: files }, (_, index) => ({
    index,
    path: `${name}/${index < 4 ? 'CD 1' : index < 9 ? 'CD 2/extras' : 'notes'}/${String(index + 1).padStart(2, '0')} ${['intro.flac', 'film.mp4', 'read me.txt', 'cover.jpg'][index % 4]}`,
    size: Math.floor(size / files) + (index === 0 ? size % files : 0),
  }));
}

export function downloadFiles(d: Download) {
  let left = d.completedBytes;
  return treeOf(d.name, d.size, d.files).map((file) => {
    const completedBytes = Math.min(file.size, left);
    left -= completedBytes;
    const path = file.path.split('/').map(encodeURIComponent).join('/');
    return {
      ...file,
      completedBytes,
      priority: 4,
      url: `/api/library/${d.id}/files/${path}`,
    };
  });
}

export const libraryItem = (d: Download) => ({
  infoHash: d.id,
  name: d.name,
  size: d.size,
  files: d.files,
  published: d.published,
  state: d.state,
  uploadedBytes: d.uploadedBytes,
  uploadRate: d.uploadRate,
  peers: d.peers,
  addedAt: d.addedAt,
  ...(d.completedAt ? { completedAt: d.completedAt } : {}),
});

export const peersOf = (d: Download) =>
  Array.from({ length: d.peers }, (_, i) => ({
    address:
      i % 4 === 3 ? `[2001:db8::${i}]:6881` : `192.168.1.${20 + i}:${6881 + i}`,
    client: [
      'D&D BitTorrent 0.1',
      'Transmission 4.0.5',
      'aria2 1.37',
      hostileName,
    ][i % 4],
    incoming: i % 3 === 0,
    transport: i % 2 ? 'utp' : 'tcp',
    encrypted: i % 3 !== 1,
    progress: (i % 5) / 4,
    downloadRate: Math.round(d.downloadRate / d.peers),
    uploadRate: Math.round(d.uploadRate / d.peers),
    downloadedBytes: 1e6 * i,
    uploadedBytes: 1e5 * i,
    unchoked: i % 2 === 0,
    interesting: true,
    choked: i % 3 === 0,
    interested: i % 2 === 1,
    source: ['tracker', 'pex', 'lsd', 'incoming'][i % 4],
  }));

export function piecesOf(d: Download) {
  const count = Math.max(1, Math.min(2000, Math.ceil(d.size / 1_048_576)));
  const done = d.size > 0 ? d.completedBytes / d.size : 0;
  const have = Buffer.alloc(Math.ceil(count / 8));
  const availability = Buffer.alloc(count);
  const inFlight: number[] = [];
  const next = random(count);
  for (let i = 0; i < count; i++) {
    const chance = next();
    if (chance < done || i / count < done * 0.8)
      have[i >> 3] |= 0x80 >> (i & 7);
    else if (chance > 0.97 && d.state === 'downloading') inFlight.push(i);
    availability[i] = d.peers > 0 ? Math.floor(next() * 5) : 0;
  }
  return {
    count,
    length: 1_048_576,
    have: have.toString('base64'),
    inFlight,
    availability: availability.toString('base64'),
  };
}

export const sourcesOf = (now: number) => [
  {
    kind: 'ring',
    url: 'dnd',
    state: 'ok',
    peers: 12,
    lastAt: iso(now - 40_000),
    nextAt: iso(now + 80_000),
  },
  {
    kind: 'tracker',
    url: 'http://192.168.1.20:6969/announce',
    state: 'ok',
    peers: 7,
    lastAt: iso(now - 90_000),
  },
  {
    kind: 'tracker',
    url: 'udp://tracker.example.org:6969',
    state: 'error',
    message: 'no answer within 15 s',
    peers: 0,
    nextAt: iso(now + 300_000),
  },
  {
    kind: 'lsd',
    url: '239.192.152.143:6771',
    state: 'ok',
    peers: 2,
    lastAt: iso(now - 200_000),
  },
  { kind: 'pex', url: '5 peers', state: 'ok', peers: 31 },
  { kind: 'dht', url: '', state: 'off', peers: 0 },
];

const iso = (time: number): string => new Date(time).toISOString();

export function ring(count: number, version: number) {
  const nodes = Array.from({ length: count }, (_, i) => ({
    id: hashOf(i * 7 + 3),
    address: `192.168.1.${20 + i}:7000`,
    state:
      i === 4
        ? ('suspected' as const)
        : i === 6
          ? ('dead' as const)
          : ('alive' as const),
    incarnation: 1 + (i % 3),
  }));
  const alive = nodes.filter(({ state }) => state !== 'dead');
  const sorted = [...alive].sort((a, b) => (a.id < b.id ? -1 : 1));
  const me = sorted.findIndex(({ id }) => id === nodes[0].id);
  const next = (n: number) => sorted[(me + n) % sorted.length];
  const successors = [1, 2, 3, 4]
    .slice(0, Math.max(0, sorted.length - 1))
    .map((n) => next(n).id);
  return {
    name: 'dnd',
    self: nodes[0],
    ...(sorted.length > 1 ? { predecessor: next(sorted.length - 1).id } : {}),
    successors: [...new Set(successors)],
    fingers: [2, 4, 6].map((n) => next(Math.min(sorted.length - 1, n)).id),
    nodes,
    ranges: sorted.map(({ id }, i) => ({
      from: sorted[(i + sorted.length - 1) % sorted.length].id,
      to: id,
      owner: id,
      records: 12 + ((i * 37 + version) % 60),
    })),
    records: { torrent: 128, catalogue: 64, name: 131, client: 9, swarm: 42 },
    replication: {
      wanted: Math.min(3, sorted.length),
      underReplicated: 0,
      repairing: version % 2 === 1,
      repair: {
        with: version % 2 === 1 ? successors.slice(0, 2) : [],
        sent: 40 + version,
        fetched: 12 + version,
        dropped: 3,
      },
      foreign: version % 3,
    },
  };
}

export const logOf = (now: number): unknown[] =>
  [
    ['tracker-failed', 'http://tracker.example:6969/announce: no answer', 7],
    ['corrupt', '212', 1],
    ['banned', '203.0.113.9:51413', 1],
    ['working', '180 / 700', 1],
    ['checking', '', 1],
    ['started', '', 1],
  ].map(([kind, detail, count], index) => ({
    ...{ kind, detail, count },
    at: new Date(now - index * 60_000).toISOString(),
  }));
