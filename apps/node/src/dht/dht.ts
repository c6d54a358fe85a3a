/** What a tracker may ask of the ring. Places are ring keys; who keeps them, and how many, is not seen. */
import { defineSeam } from '../rpc/seam';
import type { RingDto } from './dht.dto';

export type DurableKind = 'torrent' | 'catalogue' | 'name' | 'client';

/** One durable item. `place` and `item` are opaque strings; equal places lie on the same nodes. */
export interface DhtItem {
  readonly place: string;
  readonly item: string;
  readonly value: Uint8Array;
}

export interface Stored {
  /** Nodes that have it on disk now. */
  readonly stored: number;
  /** Nodes it should be on: 3. */
  readonly wanted: number;
}

export interface DhtWrite {
  readonly kind: DurableKind;
  readonly place: string;
  readonly item: string;
  /** null deletes. */
  readonly value: Uint8Array | null;
}

/** One peer of one swarm as told to the ring. */
export interface SwarmPeer {
  /** 4 or 16 bytes. */
  readonly ip: Uint8Array;
  readonly port: number;
  readonly seed: boolean;
  /** Seconds it may still be handed out; 0 says that it has left. */
  readonly ttl: number;
}

export interface SwarmUpdate {
  readonly infoHash: string;
  readonly peers: readonly SwarmPeer[];
  /** Downloads that ended since the last update. */
  readonly completed: number;
}

export interface SwarmState {
  readonly infoHash: string;
  readonly seeders: number;
  readonly leechers: number;
  readonly completed: number;
  readonly peers: readonly SwarmPeer[];
}

/** Items of a catalogue partition that was asked for because its digest differed. */
export interface PartitionState {
  readonly partition: number;
  readonly digest: string;
  readonly items: readonly DhtItem[];
}

export abstract class Dht {
  /** Resolves when a quorum of the owners has every write on disk. `unavailable` when it cannot be had. */
  abstract put(writes: readonly DhtWrite[]): Promise<Stored>;
  /** The value, or null. */
  abstract get(kind: DurableKind, place: string, item: string): Promise<Uint8Array | null>;
  /** Every item of a place. */
  abstract list(kind: DurableKind, place: string): Promise<readonly DhtItem[]>;
  /** The catalogue partitions whose digest is not the given one ('' for unknown), 256 in order. */
  abstract catalogueChanges(digests: readonly string[]): Promise<readonly PartitionState[]>;
  /** Tells and asks the owners of many swarms at once. */
  abstract swarms(updates: readonly SwarmUpdate[]): Promise<readonly SwarmState[]>;
  abstract ring(): Promise<RingDto>;
}

export const dhtSeam = defineSeam<Dht>('dht', Dht, {
  put: 15_000,
  get: 8_000,
  list: 8_000,
  catalogueChanges: 8_000,
  swarms: 5_000,
  ring: 3_000,
});
