/** Plans and hashes to .torrent files; and new surroundings for an info dictionary that stays as it is. */
import {
  type Encodable,
  encode,
  Encoded,
  decodeDictionary,
  keyOf,
} from '@dnd/bencode';
import { uniqueTiers, uniqueWebSeeds } from './addresses';
import type { Metainfo } from './metainfo';
import { MetainfoError } from './metainfo-error';
import { bencoded, decodeLimits, type MetainfoExtras } from './parse-info';
import type { PlannedFile, TorrentPlan } from './plan-torrent';
import { SHA1_BYTES } from './read-v1';
import { SHA256_BYTES, verifyPieceLayer } from './read-v2';

/** The hashes of a plan's content. */
export interface TorrentHashes {
  /** v1 and hybrid: SHA-1 of each piece (pads are zeros), 20 bytes each, concatenated. */
  readonly pieces?: Uint8Array;
  /** v2 and hybrid: for each entry of `plan.files` that is neither pad nor empty, what `hashFile` gives. */
  readonly files?: readonly (FileHashes | undefined)[];
}

export interface FileHashes {
  /** 32 bytes. */
  readonly root: Uint8Array;
  /** 32 bytes a piece; files longer than one piece. */
  readonly layer?: Uint8Array;
}

export interface TorrentOptions extends Omit<MetainfoExtras, 'pieceLayers'> {
  /** BEP 27. */
  readonly private?: boolean;
}

/**
 * The finished .torrent. Equal plans and hashes give equal info dictionaries, and so equal info-hashes.
 * Throws MetainfoError when the hashes do not fit the plan.
 */
export function buildTorrent(
  plan: TorrentPlan,
  hashes: TorrentHashes,
  options: TorrentOptions = {},
): Uint8Array {
  const hasV1 = plan.format !== 'v2';
  const hasV2 = plan.format !== 'v1';
  const info = encode({
    name: plan.name,
    'piece length': plan.pieceLength,
    private: options.private ? 1 : undefined,
    ...(hasV1 && v1Members(plan, hashes.pieces)),
    ...(hasV2 && {
      'meta version': 2,
      'file tree': fileTree(plan, hashes.files ?? []),
    }),
  });
  const pieceLayers = hasV2
    ? collectLayers(plan, hashes.files ?? [])
    : undefined;
  return wrapInfo(info, { ...options, pieceLayers });
}

/** A .torrent around an info value's bytes, which go in untouched: for a magnet link's info, for instance. */
export function wrapInfo(
  infoBytes: Uint8Array,
  extras: MetainfoExtras = {},
): Uint8Array {
  const { nodes = [], pieceLayers } = extras;
  const layers = new Map<string, Encodable>();
  for (const [root, layer] of pieceLayers ?? []) {
    layers.set(keyOf(Buffer.from(root, 'hex')), layer);
  }
  const outer = new Map<string, Encodable>([['info', new Encoded(infoBytes)]]);
  if (extras.comment !== undefined) outer.set('comment', extras.comment);
  if (extras.createdBy !== undefined) outer.set('created by', extras.createdBy);
  if (extras.createdAt !== undefined) {
    outer.set('creation date', Math.floor(extras.createdAt));
  }
  if (nodes.length > 0) {
    outer.set(
      'nodes',
      nodes.map(({ host, port }) => [host, port]),
    );
  }
  if (pieceLayers !== undefined) outer.set('piece layers', layers);
  setAnnounce(outer, extras.announce ?? []);
  setWebSeeds(outer, extras.webSeeds ?? []);
  return encode(outer);
}

/**
 * The same .torrent with other trackers, and other web seeds where they are given. Everything else, the
 * info value above all, keeps its bytes. Throws MetainfoError.
 */
export function withAnnounce(
  torrent: Uint8Array,
  tiers: Metainfo['announce'],
  webSeeds?: readonly string[],
): Uint8Array {
  const { dictionary, raw } = bencoded(() =>
    decodeDictionary(torrent, decodeLimits),
  );
  if (!dictionary.has('info')) throw new MetainfoError('missing-info');
  const outer = new Map<string, Encodable>();
  for (const key of dictionary.keys()) {
    outer.set(key, new Encoded(raw(key) as Uint8Array));
  }
  setAnnounce(outer, tiers);
  if (webSeeds !== undefined) setWebSeeds(outer, webSeeds);
  return encode(outer);
}

/** `announce` for every client, `announce-list` (BEP 12) where there is more than one address. */
function setAnnounce(
  outer: Map<string, Encodable>,
  announce: Metainfo['announce'],
): void {
  const tiers = uniqueTiers(announce);
  outer.delete('announce');
  outer.delete('announce-list');
  if (tiers.length === 0) return;
  outer.set('announce', tiers[0][0]);
  if (tiers.flat().length > 1) outer.set('announce-list', tiers);
}

function setWebSeeds(
  outer: Map<string, Encodable>,
  webSeeds: readonly string[],
): void {
  const urls = uniqueWebSeeds(webSeeds);
  if (urls.length > 0) outer.set('url-list', urls);
  else outer.delete('url-list');
}

function v1Members(
  plan: TorrentPlan,
  pieces: Uint8Array | undefined,
): { [key: string]: Encodable } {
  if (!pieces) throw new MetainfoError('missing-pieces');
  if (pieces.length !== plan.pieceCount * SHA1_BYTES) {
    throw new MetainfoError(
      'pieces-count-mismatch',
      `${pieces.length} bytes for ${plan.pieceCount} pieces`,
    );
  }
  if (plan.single) return { pieces, length: plan.size };
  const files = plan.files.map(({ path, length, pad }) => ({
    attr: pad ? 'p' : undefined,
    length,
    path: path.slice(1),
  }));
  return { pieces, files };
}

type Tree = Map<string, Encodable>;

function fileTree(
  plan: TorrentPlan,
  hashes: readonly (FileHashes | undefined)[],
): Tree {
  const root: Tree = new Map();
  const folders = new Map<string, Tree>([['', root]]);
  plan.files.forEach((file, index) => {
    if (file.pad) return;
    const path = plan.single ? file.path : file.path.slice(1);
    const folder = folderOf(path.slice(0, -1), folders);
    const key = keyOf(Buffer.from(path[path.length - 1]));
    folder.set(key, new Map([['', leafOf(plan, file, hashes[index])]]));
  });
  return root;
}

/** The tree of a folder, made with those above it where it is not there yet. */
function folderOf(path: readonly string[], folders: Map<string, Tree>): Tree {
  const id = path.map((element) => `${element}/`).join('');
  const known = folders.get(id);
  if (known) return known;
  const folder: Tree = new Map();
  const parent = folderOf(path.slice(0, -1), folders);
  parent.set(keyOf(Buffer.from(path[path.length - 1])), folder);
  folders.set(id, folder);
  return folder;
}

function leafOf(
  plan: TorrentPlan,
  { length }: PlannedFile,
  hashes: FileHashes | undefined,
): Tree {
  if (length === 0) return new Map([['length', 0]]);
  if (hashes?.root.length !== SHA256_BYTES) {
    throw new MetainfoError('missing-pieces-root');
  }
  const { root, layer } = hashes;
  const fits =
    length <= plan.pieceLength ||
    (layer && verifyPieceLayer(root, layer, length, plan.pieceLength));
  if (!fits) throw new MetainfoError('invalid-piece-layer');
  return new Map<string, Encodable>([
    ['length', length],
    ['pieces root', root],
  ]);
}

function collectLayers(
  plan: TorrentPlan,
  hashes: readonly (FileHashes | undefined)[],
): Map<string, Uint8Array> {
  const layers = new Map<string, Uint8Array>();
  plan.files.forEach(({ length }, index) => {
    const { root, layer } = hashes[index] ?? {};
    if (!root || !layer || length <= plan.pieceLength) return;
    layers.set(Buffer.from(root).toString('hex'), layer);
  });
  return layers;
}
