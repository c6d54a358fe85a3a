/**
 * TLS 1.3 with an external pre-shared key: both ends prove that they know the secret, the keys of
 * each connection are ephemeral, and there is no certificate anywhere. The ring and the seams use
 * different keys of one secret, so that a neighbour on the ring cannot speak to the seams.
 */
import { hkdfSync } from 'node:crypto';
import type { ConnectionOptions, TlsOptions } from 'node:tls';

const IDENTITY = 'dnd';
/** OpenSSL allows only SHA-256 suites with an external key. */
/** Who has not shown by then that it knows the secret is cut off, milliseconds. */
const HANDSHAKE_MS = 10_000;
const CIPHERS = 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256';

/** 32 bytes for one purpose ('ring', 'seam', 'beacon'), from the ring secret. */
export function deriveKey(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'dnd-bittorrent', purpose, 32));
}

export function pskServer(key: Buffer): TlsOptions {
  return {
    minVersion: 'TLSv1.3',
    ciphers: CIPHERS,
    handshakeTimeout: HANDSHAKE_MS,
    pskCallback: (_socket, identity) => (identity === IDENTITY ? key : null),
  };
}

export function pskClient(key: Buffer): ConnectionOptions {
  return {
    minVersion: 'TLSv1.3',
    ciphers: CIPHERS,
    pskCallback: () => ({ identity: IDENTITY, psk: key }),
    checkServerIdentity: () => undefined,
  };
}
