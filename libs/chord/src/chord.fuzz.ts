/** Hostile bytes for a node of the ring: MessagePack of any kind where others ask or answer, and beacons. Nothing throws, and its tables stay bounded. */
import type { FuzzTarget } from '@dnd/sim';
import { Packr } from 'msgpackr';
import { decodeBeacon, encodeBeacon } from './beacon-codec';
import { ChordNode } from './chord-node';
import type { ChordInput, ChordOutput } from './chord-io';
import { isChordMessage, MAX_NODES } from './messages';
import type { Beacon, ChordMessage } from './messages';
import type { NodeRef } from './node-ref';
import { defaultSettings } from './settings';

/** As frames are read in the program. */
const packr = new Packr({ useRecords: false, moreTypes: false });
/** Inputs that one node is fed before another takes its place. */
const life = 256;

function ref(digit: string): NodeRef {
  const id = digit.repeat(40);
  return { id, host: '::1', port: 1 + Number(digit), incarnation: 1 };
}

const [self, other, third] = ['5', '9', '2'].map(ref);
const said = { v: 1, me: other, member: true } as const;
const questions: readonly ChordMessage[] = [
  { v: 1, type: 'ping', member: true },
  { v: 1, type: 'read' },
  { v: 1, type: 'find', member: true, key: third.id, count: 4 },
  { v: 1, type: 'notify', successors: [self, third] },
  { v: 1, type: 'leave', predecessor: third, successors: [self] },
];
const replies: readonly ChordMessage[] = [
  { ...said, type: 'pong' },
  { ...said, type: 'busy' },
  {
    ...said,
    type: 'state',
    predecessor: third,
    successors: [self, third],
    contacts: [third],
  },
  { ...said, type: 'found', done: true, nodes: [third], predecessor: null },
  { ...said, type: 'stale', known: self },
];
const beacon: Beacon = { node: other, state: 'member', successor: third.id };

/** A member of a ring of three. */
class Fed {
  private readonly node = new ChordNode({
    self,
    random: () => 0.5,
    settings: defaultSettings,
  });
  private now = 1_000;

  constructor() {
    this.handle({ type: 'join', contacts: [] });
    for (const node of [other, third]) this.hear({ node, state: 'member' });
  }

  hear(heard: Beacon): void {
    this.handle({ type: 'beacon', beacon: heard });
  }

  ask(message: ChordMessage): void {
    this.handle({ type: 'request', call: 1, from: other, message });
    this.handle({ type: 'tick' }, 100);
  }

  /** What each of this node's questions is answered with. */
  answer(message: ChordMessage): void {
    const out = [
      ...this.handle({ type: 'lookup', call: 1, key: third.id }),
      ...this.handle({ type: 'tick' }, 1_000),
    ];
    for (const output of out)
      if (output.type === 'request')
        this.handle({ type: 'reply', call: output.call, message });
  }

  private handle(input: ChordInput, after = 1): ChordOutput[] {
    this.now += after;
    const out = this.node.handle(input, this.now);
    const { successors } = this.node.view();
    if (successors.length > MAX_NODES)
      throw new Error(`a list of ${successors.length} successors`);
    return out;
  }
}

/** The program lets in what is a message of the protocol, and nothing else. */
function fed(feed: (node: Fed, message: ChordMessage) => void) {
  let node = new Fed();
  return (frame: Uint8Array, turn: number): boolean => {
    if (turn % life === 0) node = new Fed();
    let message: unknown;
    try {
      message = packr.unpack(frame);
    } catch {
      return false;
    }
    if (!isChordMessage(message)) return false;
    feed(node, message);
    return true;
  };
}

export const targets: Record<string, () => FuzzTarget> = {
  'frames, asked': () => ({
    samples: questions.map((message) => packr.pack(message)),
    feed: fed((node, message) => node.ask(message)),
  }),
  'frames, answered': () => ({
    samples: replies.map((message) => packr.pack(message)),
    feed: fed((node, message) => node.answer(message)),
  }),
  beacons: () => {
    let node = new Fed();
    return {
      samples: [encodeBeacon(beacon)],
      feed: (bytes, turn) => {
        if (turn % life === 0) node = new Fed();
        const heard = decodeBeacon(bytes);
        if (heard) node.hear(heard);
        return heard !== undefined;
      },
    };
  },
};
