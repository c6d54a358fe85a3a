export { Bitfield } from './bitfield';
export { FileLayout } from './file-layout';
export type { FileSpan, Laid } from './file-layout';
export { MetainfoError } from './metainfo-error';
export type { MetainfoErrorCode } from './metainfo-error';
export {
  BLOCK_BYTES,
  hashFile,
  merkleLayer,
  merkleProof,
  merkleRoot,
  MerkleTree,
  pieceLevel,
  pieceRoot,
  uncleCount,
  verifyMerkleProof,
  zeroHash,
} from './merkle';
export type { Metainfo, MetainfoFile, MetainfoFormat } from './metainfo';
export { parseInfo, torrentId } from './parse-info';
export type { MetainfoExtras, ReadRules } from './parse-info';
export { parseTorrent } from './parse-torrent';
export { verifyPieceLayer } from './read-v2';
export { safeElement, safePath, uniquePaths } from './safe-path';
export type { PathRules } from './safe-path';
export { formatEndpoint, parseEndpoint } from './addresses';
export type { Endpoint } from './addresses';
export { buildTorrent, withAnnounce, wrapInfo } from './build-torrent';
export type {
  FileHashes,
  TorrentHashes,
  TorrentOptions,
} from './build-torrent';
export { formatMagnet, parseMagnet } from './magnet';
export type { Magnet, MagnetParts } from './magnet';
export { choosePieceLength, planTorrent } from './plan-torrent';
export type { PlannedFile, TorrentPlan, TorrentSource } from './plan-torrent';
