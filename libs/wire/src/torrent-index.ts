/**
 * The torrents that incoming connections may ask for, found by info-hash and,
 * for encrypted handshakes, by its obfuscated form, which is computed once.
 */
import {
  wireHashes,
  type LocalTorrent,
  type LocalTorrents,
} from './connection-opening';
import { obfuscatedHash } from './mse/encrypted-handshake';

export class TorrentIndex implements LocalTorrents {
  readonly #byHash = new Map<string, LocalTorrent>();
  readonly #byObfuscated = new Map<string, Uint8Array>();

  /** Under all its hashes; a torrent with the same hash is replaced. */
  add(torrent: LocalTorrent): void {
    for (const hash of wireHashes(torrent)) {
      this.#byHash.set(keyOf(hash), torrent);
      this.#byObfuscated.set(keyOf(obfuscatedHash(hash)), hash);
    }
  }

  delete(torrent: LocalTorrent): void {
    for (const hash of wireHashes(torrent)) {
      this.#byHash.delete(keyOf(hash));
      this.#byObfuscated.delete(keyOf(obfuscatedHash(hash)));
    }
  }

  find(infoHash: Uint8Array): LocalTorrent | undefined {
    return this.#byHash.get(keyOf(infoHash));
  }

  findObfuscated(hash: Uint8Array): Uint8Array | undefined {
    return this.#byObfuscated.get(keyOf(hash));
  }
}

function keyOf(hash: Uint8Array): string {
  return Buffer.from(hash).toString('latin1');
}
