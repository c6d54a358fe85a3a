/**
 * A ring in memory for specs: what one tracker puts, every other one finds, as on the real ring.
 * Each tracker has a `MemoryDht` of its own, which can be cut off.
 */
import { isDeepStrictEqual } from 'node:util';
import { crc32 } from 'node:zlib';
import {
  packAnswers,
  packPeers,
  unpackAnswers,
  unpackPuts,
  type Heard,
  type SwarmAnswer,
  type KeptSwarms,
  type SwarmPut,
} from '@dnd/records';
import {
  Dht,
  type DhtItem,
  type DhtWrite,
  type DurableKind,
  type Glanced,
  type PlaceState,
  type Polled,
  type Stored,
} from '../dht/dht';
import type { RingDto } from '../dht/dht.dto';
import { SeamError } from '../rpc/seam-error';

const announcedBytes = 43;
const givenBytes = 39;
const flagsAt = 38;
const ttlAt = 39;
const SEED = 1;
const GONE = 2;

interface Kept {
  readonly value: Uint8Array | null;
  readonly version: number;
}

interface KeptSwarm {
  completed: number;
  readonly peers: Map<string, { row: Uint8Array; deadline: number }>;
}

export class MemoryRing {
  readonly places = new Map<string, Map<string, Kept>>();
  readonly swarms = new Map<string, KeptSwarm>();
  /** Swarms that were announced to, in order. */
  readonly changes: string[] = [];
  version = 0;
  /** What a put is answered with. */
  stored: Stored = { stored: 3, nodes: 3, wanted: 3 };
  private nodes = 0;

  node(): MemoryDht {
    return new MemoryDht(this, this.nodes++ === 0);
  }

  place(kind: DurableKind, place: string): Map<string, Kept> {
    const name = `${kind}/${place}`;
    let items = this.places.get(name);
    if (!items) this.places.set(name, (items = new Map()));
    return items;
  }
}

export class MemoryDht extends Dht {
  reachable = true;
  /** Announces that could not be told. */
  refused = 0;
  /** Answers come when it resolves. */
  gate: Promise<void> | undefined;

  constructor(
    readonly memory: MemoryRing,
    private readonly isFirst: boolean,
  ) {
    super();
  }

  async put(writes: readonly DhtWrite[]): Promise<Stored> {
    await this.pass();
    for (const { kind, place, item, value } of writes)
      this.memory
        .place(kind, place)
        .set(item, { value, version: ++this.memory.version });
    return this.memory.stored;
  }

  async get(
    kind: DurableKind,
    place: string,
    item: string,
  ): Promise<Uint8Array | null> {
    await this.pass();
    return this.memory.place(kind, place).get(item)?.value ?? null;
  }

  async list(kind: DurableKind, place: string): Promise<readonly DhtItem[]> {
    await this.pass();
    return [...this.memory.place(kind, place)].map(([item, { value }]) => ({
      item,
      value,
    }));
  }

  async poll(
    kind: DurableKind,
    places: readonly { place: string; version?: string }[],
  ): Promise<Polled> {
    await this.pass();
    const states: PlaceState[] = places.flatMap(({ place, version }) => {
      const items = [...this.memory.place(kind, place)];
      const newest = Math.max(0, ...items.map(([, kept]) => kept.version));
      const since = version === undefined ? -1 : Number(version);
      if (newest === since) return [];
      const changed = items
        .filter(([, kept]) => kept.version > since)
        .map(([item, { value }]) => ({ item, value }));
      const complete = version === undefined;
      return [{ place, version: String(newest), complete, items: changed }];
    });
    return { states, heard: [heardAt(this.memory.version)] };
  }

  async same(_kind: DurableKind, heard: readonly Heard[]): Promise<boolean> {
    await this.pass();
    return heard[0]?.at.revision === this.memory.version;
  }

  async swarms(puts: Uint8Array): Promise<Uint8Array> {
    const queries = unpackPuts(puts);
    if (!this.reachable)
      this.refused += queries.filter(({ peers }) => peers.length > 0).length;
    await this.pass();
    return packAnswers(queries.map((query) => this.swarm(query)));
  }

  async glance(known: Uint8Array): Promise<Glanced> {
    await this.pass();
    const states = unpackAnswers(known).map((before) => ({
      before,
      now: this.swarm(asking(before.swarm)),
    }));
    return this.glanced(
      states
        .filter(({ before, now }) => !isDeepStrictEqual(before, now))
        .map(({ now }) => now),
    );
  }

  async news(heard: readonly Heard[], most: number): Promise<Glanced> {
    await this.pass();
    const [owner] = heard;
    const changed = new Set(this.memory.changes.slice(owner?.at.revision));
    if (!owner || changed.size > most)
      return { swarms: packAnswers([]), heard: [], whole: false };
    return this.glanced([...changed].map((swarm) => this.swarm(asking(swarm))));
  }

  private glanced(states: readonly SwarmAnswer[]): Glanced {
    return {
      swarms: packAnswers(states),
      heard: [heardAt(this.memory.changes.length)],
      whole: true,
    };
  }

  /** The spec's trackers share one ring: the first of them keeps it all. */
  async ownSwarms(): Promise<KeptSwarms> {
    await this.pass();
    const states = this.isFirst
      ? [...this.memory.swarms.keys()].map((swarm) => this.swarm(asking(swarm)))
      : [];
    return {
      swarms: states.length,
      peers: states.reduce((sum, s) => sum + s.seeds + s.leechers, 0),
      seeds: states.reduce((sum, { seeds }) => sum + seeds, 0),
    };
  }

  ring(): Promise<RingDto> {
    return Promise.reject(new SeamError('unavailable', 'no real ring'));
  }

  private async pass(): Promise<void> {
    await this.gate;
    if (!this.reachable) throw new SeamError('unavailable', 'cut off');
  }

  private swarm({ swarm, peers, want, completed }: SwarmPut): SwarmAnswer {
    const now = Date.now();
    const kept = this.memory.swarms.get(swarm) ?? {
      completed: 0,
      peers: new Map(),
    };
    this.memory.swarms.set(swarm, kept);
    kept.completed += completed;
    if (peers.length > 0) this.memory.changes.push(swarm);
    for (let at = 0; at < peers.length; at += announcedBytes) {
      const row = peers.slice(at, at + givenBytes);
      const ttl = Buffer.from(peers).readUInt32BE(at + ttlAt);
      const address = Buffer.from(row.subarray(0, 18)).toString('hex');
      kept.peers.set(address, { row, deadline: now + ttl });
    }
    const live = [...kept.peers.values()].filter(
      ({ row, deadline }) => deadline > now && !(row[flagsAt] & GONE),
    );
    const seeds = live.filter(({ row }) => row[flagsAt] & SEED).length;
    return {
      swarm,
      seeds,
      leechers: live.length - seeds,
      completed: kept.completed,
      print: live.reduce((sum, { row }) => sum ^ crc32(row), 0) >>> 0,
      peers: Buffer.concat(live.slice(0, want).map(({ row }) => row)),
    };
  }
}

/** The ring is one owner. */
const heardAt = (revision: number): Heard => ({
  node: { id: '0'.repeat(40), host: '', port: 1, incarnation: 1 },
  at: { epoch: 1, revision },
});

/** Asks for numbers. */
const asking = (swarm: string): SwarmPut => ({
  swarm,
  peers: new Uint8Array(0),
  want: 0,
  seeds: true,
  completed: 0,
});

/** A peer as an owner of its swarm keeps it, for specs that begin with one. */
export function keptPeer(host: string, port: number, seed = false): Uint8Array {
  return packPeers([
    {
      address: Uint8Array.from(host.split('.').map(Number)),
      port,
      id: new Uint8Array(20).fill(port & 255),
      flags: seed ? SEED : 0,
      ttl: 60_000,
    },
  ]);
}
