/**
 * Hostile frames for the records of a node: MessagePack of any kind where another node asks or
 * answers, and packed swarms. Nothing throws, and what is held then is what the rules let in.
 */
import type { NodeRef } from '@dnd/chord';
import type { FuzzTarget } from '@dnd/sim';
import { Packr } from 'msgpackr';
import { isRecordsMessage } from './guard';
import type { RecordsOutput } from './io';
import type { RecordsBody, RecordsMessage } from './message';
import { packPeers, unpackPeers } from './peer';
import { digestOf, MAX_ITEM_LENGTH, MAX_TORRENT_BYTES } from './record';
import type { DataRecord } from './record';
import { Records } from './records';
import { makeStamp } from './stamp';
import {
  areAnswers,
  arePuts,
  packAnswers,
  packPuts,
  unpackAnswers,
  unpackPuts,
} from './swarm-pack';

/** As frames are read in the program. */
const packr = new Packr({ useRecords: false, moreTypes: false });
const self: NodeRef = ref('5');
const other: NodeRef = ref('9');
const swarm = 'ab'.repeat(20);
const place = digestOf(Buffer.from('place'));
const key = { kind: 'name', place, item: 'a' } as const;
/** Inputs that one node is fed before another takes its place. */
const life = 256;

function ref(digit: string): NodeRef {
  const id = digit.repeat(40);
  return { id, host: '::1', port: 1 + Number(digit), incarnation: 1 };
}

function record(item: string): DataRecord {
  const value = Buffer.from(`value of ${item}`);
  const stamp = makeStamp(900, 0, other.id);
  const digest = digestOf(value);
  return {
    kind: 'name',
    place,
    item,
    stamp,
    digest,
    size: value.length,
    value,
  };
}

const peer = {
  address: Uint8Array.of(10, 0, 0, 1),
  port: 6881,
  id: new Uint8Array(20).fill(7),
  flags: 0,
  ttl: 60_000,
};
const puts = packPuts([
  { swarm, want: 50, seeds: true, completed: 1, peers: packPeers([peer]) },
  { swarm, want: 0, seeds: false, completed: 0, peers: new Uint8Array(0) },
]);
const answers = packAnswers([
  {
    swarm,
    seeds: 1,
    leechers: 2,
    completed: 3,
    print: 4,
    peers: new Uint8Array(0),
  },
]);
const questions: readonly RecordsBody[] = [
  { type: 'store', items: [record('a'), record('b')] },
  { type: 'read', keys: [key, { ...key, item: 'b' }], values: true },
  { type: 'chunk', key, digest: record('a').digest, offset: 0 },
  { type: 'list', kind: 'name', places: [{ place }] },
  { type: 'digest', from: self.id, to: other.id, digest: '0'.repeat(16) },
  { type: 'versions', from: self.id, to: other.id, leaves: [0, 255] },
  {
    type: 'confirm',
    places: [{ kind: 'name', place, digest: '0'.repeat(16) }],
  },
  { type: 'announce', sequence: 900, swarms: puts },
  { type: 'glance', swarms: answers },
  { type: 'news', since: { epoch: 1, revision: 2 }, most: 3 },
  { type: 'revision', kind: 'catalogue' },
  { type: 'revised', settled: true, at: { epoch: 1, revision: 2 } },
  { type: 'handover', from: self.id, to: other.id },
];
const replies: readonly RecordsBody[] = [
  { type: 'found', settled: true, records: [record('a')] },
  { type: 'stored', codes: ['ok'] },
  {
    type: 'listed',
    settled: true,
    lists: [],
    at: { epoch: 1, revision: 2 },
  },
  { type: 'leaves', leaves: null },
  { type: 'held', items: [record('a')], more: false },
  { type: 'confirmed', differ: [0] },
  { type: 'piece', bytes: null },
  { type: 'announced', settled: true, swarms: answers },
  {
    type: 'glanced',
    settled: true,
    whole: true,
    at: { epoch: 1, revision: 2 },
    swarms: answers,
  },
  { type: 'swarms', origins: [other.id], swarms: [], more: false },
  { type: 'refused', code: 'busy' },
];
const frameOf = (body: RecordsBody): Uint8Array =>
  packr.pack({ clock: 1_000, agreed: true, sent: 1_000, ...body });

function unpacked(frame: Uint8Array): unknown {
  try {
    return packr.unpack(frame);
  } catch {
    return undefined;
  }
}

/** A node with a neighbour, whose disk takes everything at once. */
class Fed {
  private readonly records = new Records({
    self,
    random: () => 0.5,
    validate: (_kind, _place, _item, value) => value[0] === 0x76,
  });
  private now = 1_000;
  private op = 0;

  constructor() {
    this.handle({ type: 'loaded', records: [], last: true });
    const view = { successors: [other], predecessor: other, stableSince: 0 };
    this.handle({ type: 'view', ...view });
  }

  ask(message: RecordsMessage): void {
    this.handle({ type: 'request', call: 1, from: other, message });
    for (const held of this.records.held())
      if (held.size > MAX_TORRENT_BYTES || held.item.length > MAX_ITEM_LENGTH)
        throw new Error('more is held than the rules let in');
  }

  /** What each of this node's questions is answered with. */
  answer(message: RecordsMessage): void {
    const out = [
      ...this.handle({ type: 'get', op: ++this.op, key }),
      ...this.handle({ type: 'list', op: ++this.op, kind: 'name', place }),
      ...this.handle({ type: 'tick' }, 15_000),
    ];
    for (const output of out)
      if (output.type === 'request')
        this.handle({ type: 'reply', call: output.call, message });
  }

  private handle(
    input: Parameters<Records['handle']>[0],
    after = 1,
  ): RecordsOutput[] {
    this.now += after;
    const said = this.records.handle(input, this.now);
    const all = [...said];
    for (const output of said) {
      if (output.type === 'persist') {
        const { batch } = output;
        all.push(...this.handle({ type: 'persisted', batch, ok: true }));
      } else if (output.type === 'lookup') {
        const { call } = output;
        const owners = [self, other];
        all.push(...this.handle({ type: 'owners', call, owners }));
      } else if (output.type === 'fetch') {
        const { call, keys } = output;
        const values = keys.map(() => undefined);
        all.push(...this.handle({ type: 'fetched', call, values }));
      }
    }
    return all;
  }
}

function fed(feed: (node: Fed, message: RecordsMessage) => void) {
  let node = new Fed();
  return (frame: Uint8Array, turn: number): boolean => {
    if (turn % life === 0) node = new Fed();
    const message = unpacked(frame);
    feed(node, message as RecordsMessage);
    return isRecordsMessage(message);
  };
}

export const targets: Record<string, () => FuzzTarget> = {
  'frames, asked': () => ({
    samples: questions.map(frameOf),
    feed: fed((node, message) => node.ask(message)),
  }),
  'frames, answered': () => ({
    samples: replies.map(frameOf),
    feed: fed((node, message) => node.answer(message)),
  }),
  'swarms, told': () => ({
    samples: [puts],
    feed: (bytes) => {
      if (!arePuts(bytes, 100)) return false;
      for (const { peers } of unpackPuts(bytes)) unpackPeers(peers);
      return true;
    },
  }),
  'swarms, answered': () => ({
    samples: [answers],
    feed: (bytes) => {
      if (!areAnswers(bytes, 100)) return false;
      for (const { peers } of unpackAnswers(bytes)) unpackPeers(peers);
      return true;
    },
  }),
};
