export { allowedFastSet } from './allowed-fast';
export { wireHashes } from './connection-opening';
export type {
  LocalTorrent,
  LocalTorrents,
  OpeningOptions,
  RemoteHandshake,
} from './connection-opening';
export { MetadataExchange } from './metadata-exchange';
export type { MetadataRequest } from './metadata-exchange';
export { clientName, createPeerId } from './peer-id';
export { peerPriority } from './peer-priority';
export type { PeerAddress } from './peer-priority';
export { PexState } from './pex-state';
export { encodePex, decodePex, PexFlag } from './pex-message';
export type { PexMessage, PexPeer } from './pex-message';
export { Holepunch } from './holepunch';
export type { Endpoint, HolepunchOutput, HolepunchPeers } from './holepunch';
export { HolepunchError } from './holepunch-message';
export type { HolepunchMessage, HolepunchType } from './holepunch-message';
export type {
  ExtensionEvents,
  ExtensionLink,
  LocalExtensions,
  RemoteExtensions,
} from './extension-link';
export { MAX_METADATA } from './extension-message';
export type { ExtensionName } from './extension-message';
export { isAskable, MAX_HASHES } from './hash-message';
export type { HashRange } from './hash-message';
export type { Capabilities, Handshake } from './handshake';
export type { InboxEvents, TorrentShape } from './inbox';
export { BLOCK_SIZE, PIECE_HEADER } from './message-id';
export { MessageWriter, writePieceHeader } from './message-writer';
export { METADATA_PIECE } from './metadata-message';
export { obfuscatedHash } from './mse/encrypted-handshake';
export type { EncryptionPolicy } from './mse/encryption-policy';
export { PeerConnection } from './peer-connection';
export type { ConnectionEvents, ConnectionOptions } from './peer-connection';
export type { PeerCommands, PeerEvents } from './peer-link';
export { PeerTimeoutError, ProtocolError } from './protocol-error';
export type { ProtocolErrorCode } from './protocol-error';
export { UtpError } from './utp/utp-error';
export { UtpMultiplexer } from './utp/utp-multiplexer';
export type { UtpOptions } from './utp/utp-multiplexer';
export type { UtpEvents, UtpSocket } from './utp/utp-socket';
export { TorrentIndex } from './torrent-index';
