/** The Dht seam, answered from this node's place on the ring. */
import { isNodeRef } from '@dnd/chord';
import {
  arePuts,
  areStates,
  REPLICAS,
  type DataRecord,
  type Heard,
  type KeptSwarms,
} from '@dnd/records';
import { Inject, Injectable } from '@nestjs/common';
import { Config } from '../config/config';
import { SeamError } from '../rpc/seam-error';
import {
  Dht,
  type DhtItem,
  type DhtWrite,
  type DurableKind,
  type Glanced,
  type Polled,
  type Stored,
} from './dht';
import type { RingDto, RingNodeDto } from './dht.dto';
import { RingNode } from './ring-node';

/** Swarms in one question. */
const mostSwarms = 20_000;
/** Nodes in one question. */
const mostNodes = 10_000;

@Injectable()
export class RingDht extends Dht {
  constructor(
    private readonly node: RingNode,
    @Inject(Config) private readonly config: Config,
  ) {
    super();
  }

  async put(writes: readonly DhtWrite[]): Promise<Stored> {
    const items = writes.map(({ kind, place, item, value }) => ({
      kind,
      place,
      item,
      ...(value ? { value } : {}),
    }));
    const result = await this.node.operate({ type: 'put', items });
    if (result.type !== 'stored') throw unexpected(result.type);
    const { copies, nodes, wanted } = result;
    return { stored: copies, nodes, wanted };
  }

  async get(
    kind: DurableKind,
    place: string,
    item: string,
  ): Promise<Uint8Array | null> {
    const result = await this.node.operate({
      type: 'get',
      key: { kind, place, item },
    });
    if (result.type !== 'record') throw unexpected(result.type);
    return result.record?.value ?? null;
  }

  async list(kind: DurableKind, place: string): Promise<readonly DhtItem[]> {
    const result = await this.node.operate({ type: 'list', kind, place });
    if (result.type !== 'lists') throw unexpected(result.type);
    if (result.missed.length > 0)
      throw new SeamError(
        'unavailable',
        'the nodes that keep this do not answer; try again in a moment',
      );
    return result.lists.flatMap(({ items }) => items.map(toItem));
  }

  async poll(
    kind: DurableKind,
    places: readonly { place: string; version?: string }[],
  ): Promise<Polled> {
    const result = await this.node.operate({ type: 'poll', kind, places });
    if (result.type !== 'lists') throw unexpected(result.type);
    const states = result.lists
      .filter(({ unchanged }) => !unchanged)
      .map(({ place, version, complete, items }) => ({
        place,
        version,
        complete,
        items: items.map(toItem),
      }));
    return { states, heard: result.missed.length > 0 ? [] : result.heard };
  }

  async same(kind: DurableKind, heard: readonly Heard[]): Promise<boolean> {
    checkHeard(heard);
    const result = await this.node.operate({ type: 'compare', kind, heard });
    if (result.type !== 'compared') throw unexpected(result.type);
    return result.same;
  }

  async swarms(puts: Uint8Array): Promise<Uint8Array> {
    if (!arePuts(puts, mostSwarms))
      throw new SeamError('bad-input', 'these are no announces to swarms');
    const result = await this.node.operate({ type: 'announce', swarms: puts });
    if (result.type !== 'swarms') throw unexpected(result.type);
    return result.swarms;
  }

  async glance(known: Uint8Array): Promise<Glanced> {
    if (!areStates(known, mostSwarms))
      throw new SeamError('bad-input', 'these are no states of swarms');
    const result = await this.node.operate({ type: 'glance', swarms: known });
    if (result.type !== 'glanced') throw unexpected(result.type);
    return result;
  }

  async news(heard: readonly Heard[], most: number): Promise<Glanced> {
    checkHeard(heard);
    const result = await this.node.operate({ type: 'news', heard, most });
    if (result.type !== 'glanced') throw unexpected(result.type);
    return result;
  }

  ownSwarms(): Promise<KeptSwarms> {
    return Promise.resolve(this.node.ownSwarms());
  }

  async ring(): Promise<RingDto> {
    const { health } = this.node;
    const view = this.node.look();
    if (!view)
      throw new SeamError(
        'unavailable',
        'this node is not on a ring yet; try again in a moment',
      );
    const { self, predecessor, successors, fingers, contacts } = view;
    const nodes: RingNodeDto[] = contacts.map(({ node, state }) => ({
      id: node.id,
      address: `${node.host}:${node.port}`,
      state,
      incarnation: node.incarnation,
    }));
    const own: RingNodeDto = {
      id: self.id,
      address: `${self.host}:${self.port}`,
      state: 'alive',
      incarnation: self.incarnation,
    };
    nodes.push(own);
    nodes.sort((a, b) => (a.id < b.id ? -1 : 1));
    const live = nodes
      .filter(({ state }) => state !== 'dead')
      .map(({ id }) => id);
    const counts = this.node.disk.counts();
    return {
      name: this.config.ring,
      self: own,
      ...(predecessor ? { predecessor: predecessor.id } : {}),
      successors: successors.map(({ id }) => id),
      fingers: [...new Set(fingers.map(({ id }) => id))],
      nodes,
      ranges: live.map((owner, i) => {
        const from = live.at(i - 1) as string;
        return { from, to: owner, owner, records: counts.between(from, owner) };
      }),
      records: { ...counts.byKind, swarm: health?.swarms ?? 0 },
      replication: {
        wanted: Math.min(REPLICAS, view.size),
        underReplicated: health?.underReplicated ?? 0,
        repairing: health?.repairing ?? false,
        foreign: health?.foreign ?? 0,
        ...(health ? { repair: health.repair } : {}),
      },
    };
  }
}

function checkHeard(heard: readonly Heard[]): void {
  const areHeard =
    heard.length <= mostNodes &&
    heard.every(
      ({ node, at }) =>
        isNodeRef(node) &&
        Number.isSafeInteger(at?.epoch) &&
        Number.isSafeInteger(at?.revision),
    );
  if (!areHeard)
    throw new SeamError('bad-input', 'these are no nodes of a ring');
}

const toItem = ({ item, value }: DataRecord): DhtItem => ({
  item,
  value: value ?? null,
});

const unexpected = (type: string): SeamError =>
  new SeamError('internal', `the records answered with ${type}`);
