/** A .torrent file: the info dictionary and what surrounds it. */
import {
  asBytes,
  asList,
  asNumber,
  asText,
  type BencodeDictionary,
  type BencodeValue,
  decodeDictionary,
} from '@dnd/bencode';
import {
  type Endpoint,
  endpoint,
  readTiers,
  uniqueEndpoints,
  uniqueWebSeeds,
} from './addresses';
import type { Metainfo } from './metainfo';
import { MetainfoError } from './metainfo-error';
import {
  bencoded,
  decodeLimits,
  type MetainfoExtras,
  parseInfo,
  type ReadRules,
} from './parse-info';
import { readPieceLayers } from './read-v2';

/**
 * Reads a .torrent of version 1, 2 or both. Nothing of the result shares memory with `bytes`; bytes after
 * the outer dictionary are passed over. Throws MetainfoError.
 */
export function parseTorrent(
  bytes: Uint8Array,
  rules: ReadRules = {},
): Metainfo {
  const { dictionary: outer, raw } = bencoded(() =>
    decodeDictionary(bytes, decodeLimits),
  );
  const infoBytes = raw('info');
  if (!infoBytes || !(outer.get('info') instanceof Map)) {
    throw new MetainfoError('missing-info');
  }
  const bare = parseInfo(infoBytes, readExtras(outer), rules);
  const metainfo = { ...bare, webSeeds: seedsFor(bare) };
  if (metainfo.format === 'v1') return metainfo;
  const pieceLayers = readPieceLayers(
    outer.get('piece layers'),
    metainfo.files,
    metainfo.pieceLength,
  );
  return { ...metainfo, pieceLayers };
}

function readExtras(outer: BencodeDictionary): MetainfoExtras {
  const comment =
    asText(outer.get('comment.utf-8')) ?? asText(outer.get('comment'));
  const createdBy = asText(outer.get('created by'));
  const createdAt = asNumber(outer.get('creation date'));
  return {
    announce: readTiers(outer.get('announce-list'), outer.get('announce')),
    webSeeds: readWebSeeds(outer.get('url-list')),
    nodes: readNodes(outer.get('nodes')),
    ...(comment !== undefined && { comment }),
    ...(createdBy !== undefined && { createdBy }),
    ...(createdAt !== undefined && createdAt > 0 && { createdAt }),
  };
}

/** BEP 19 allows one string or a list. */
function readWebSeeds(value: BencodeValue | undefined): string[] {
  const list = asList(value) ?? (asBytes(value) ? [value] : []);
  return uniqueWebSeeds(list.map((url) => asText(url) ?? ''));
}

function readNodes(value: BencodeValue | undefined): Endpoint[] {
  const pairs = asList(value) ?? [];
  return uniqueEndpoints(
    pairs.map((pair) => {
      const [host, port] = asList(pair) ?? [];
      return endpoint(asText(host) ?? '', asNumber(port) ?? 0);
    }),
  );
}

/** A web seed of several files is a folder, and its address ends with a slash (BEP 19). */
function seedsFor({ webSeeds, files, name }: Metainfo): readonly string[] {
  if (files.length === 1 && files[0].path.length === 1) return webSeeds;
  const own = files.length === 1 ? files[0].path.slice(1).join('/') : undefined;
  return uniqueWebSeeds(
    webSeeds.map((url) => {
      const named = own !== undefined && url.endsWith(`/${name}/${own}`);
      return url.endsWith('/') || named ? url : `${url}/`;
    }),
  );
}
