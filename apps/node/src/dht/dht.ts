/** What a tracker may ask of the ring. Places are ring keys (40 hex digits); which nodes keep them is not seen. */
import type { Heard, KeptSwarms } from '@dnd/records';
import { defineSeam } from '../rpc/seam';
import type { RingDto } from './dht.dto';

export type DurableKind = 'torrent' | 'catalogue' | 'name' | 'client';

export interface DhtWrite {
  readonly kind: DurableKind;
  readonly place: string;
  readonly item: string;
  /** null deletes. */
  readonly value: Uint8Array | null;
}

export interface Stored {
  /** Nodes that have every write on disk now. */
  readonly stored: number;
  /** Live nodes that could, `wanted` at most. Fewer are stored on: the other copies are under way. */
  readonly nodes: number;
  /** Nodes that should. */
  readonly wanted: number;
}

export interface DhtItem {
  readonly item: string;
  /** null: it was deleted. */
  readonly value: Uint8Array | null;
}

/** What differs at a place from the version that was asked with. */
export interface PlaceState {
  readonly place: string;
  readonly version: string;
  /** `items` are all there is, not only what changed. */
  readonly complete: boolean;
  readonly items: readonly DhtItem[];
}

export interface Polled {
  readonly states: readonly PlaceState[];
  /** Who was heard; empty where not all owners answered. */
  readonly heard: readonly Heard[];
}

/** What the owners of swarms say of those that have changed. */
export interface Glanced {
  /** `packAnswers` of @dnd/records, without peers. */
  readonly swarms: Uint8Array;
  /** Who was heard, and until when: to be asked for news. */
  readonly heard: readonly Heard[];
  /** All were heard, and told all there was. */
  readonly whole: boolean;
}

export abstract class Dht {
  /** Resolves when a quorum of the owners has every write on disk; `unavailable` when none can be had. */
  abstract put(writes: readonly DhtWrite[]): Promise<Stored>;
  abstract get(
    kind: DurableKind,
    place: string,
    item: string,
  ): Promise<Uint8Array | null>;
  /** All that is kept at a place. */
  abstract list(kind: DurableKind, place: string): Promise<readonly DhtItem[]>;
  /** Of many places those that are no longer at the given version, with what differs. Places whose owners do not answer are left out. */
  abstract poll(
    kind: DurableKind,
    places: readonly { readonly place: string; readonly version?: string }[],
  ): Promise<Polled>;
  /** Has nothing of this kind changed at these nodes since they answered to a poll? False, too, where one does not answer. */
  abstract same(kind: DurableKind, heard: readonly Heard[]): Promise<boolean>;
  /**
   * Tells and asks the owners of many swarms at once: `packPuts` of @dnd/records goes in and `packAnswers`
   * comes out; swarms whose owners do not answer are left out.
   */
  abstract swarms(puts: Uint8Array): Promise<Uint8Array>;
  /**
   * Of swarms as they are known (`writeNumbers` of @dnd/records) those that are otherwise now. Those whose
   * owners do not answer are left out.
   */
  abstract glance(known: Uint8Array): Promise<Glanced>;
  /** All swarms of owners that were heard before which have changed since; of an owner with more than `most` none. */
  abstract news(heard: readonly Heard[], most: number): Promise<Glanced>;
  /** The swarms whose first owner this node is: over all nodes they add up to all there are. */
  abstract ownSwarms(): Promise<KeptSwarms>;
  abstract ring(): Promise<RingDto>;
}

export const dhtSeam = defineSeam<Dht>('dht', Dht, {
  put: 15_000,
  get: 8_000,
  list: 8_000,
  poll: 8_000,
  same: 5_000,
  swarms: 5_000,
  glance: 5_000,
  news: 5_000,
  ownSwarms: 3_000,
  ring: 3_000,
});
