/** Where on the ring each kind of record lies. */
import { createHash } from 'node:crypto';

export const partitions = 256;

const hash = (text: string): string =>
  createHash('sha1').update(text).digest('hex');
const ofPartition = Array.from({ length: partitions }, (_, i) =>
  hash(`catalogue/${i}`),
);

/** All of them, in order. */
export const cataloguePlaces: readonly string[] = ofPartition;

/** The partition is the info-hash's first byte. */
export const cataloguePlace = (infoHash: string): string =>
  ofPartition[parseInt(infoHash.slice(0, 2), 16)];

/** A .torrent lies at its info-hash. */
export const torrentPlace = (infoHash: string): string => infoHash;

export const clientPlace = (clientId: number): string =>
  hash(`client/${clientId}`);

/** The trackers of the ring know each other as the peers of this swarm. */
export const trackersSwarm = (ring: string): string => hash(`trackers/${ring}`);

/** Names that differ in case, accents' encoding or outer blanks only are one. */
export const normalised = (name: string): string =>
  name.normalize('NFKC').trim().toLowerCase();

export const namePlace = (name: string): string =>
  hash(`name/${normalised(name)}`);
