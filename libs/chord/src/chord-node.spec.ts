import { Random } from '@dnd/sim';
import type { ChordInput, ChordOutput } from './chord-io';
import { ChordNode } from './chord-node';
import type { ChordMessage } from './messages';
import { isBeacon, isChordMessage } from './messages';
import type { NodeRef } from './node-ref';

const node = (id: string, port = 7000, incarnation = 1): NodeRef => ({
  id: id.padEnd(40, '0'),
  host: '10.0.0.1',
  port,
  incarnation,
});
const self = node('5', 7005);

function start(): ChordNode {
  const chord = new ChordNode({ self, random: new Random(1).uniform });
  chord.handle({ type: 'join', contacts: [] }, 0);
  return chord;
}

/** A ring of one. */
function formed(): ChordNode {
  const chord = start();
  for (let t = 0; chord.mode !== 'member'; t += 100)
    chord.handle({ type: 'tick' }, t);
  return chord;
}

const ofType = <T extends ChordOutput['type']>(
  outputs: ChordOutput[],
  type: T,
) =>
  outputs.filter(
    (o): o is Extract<ChordOutput, { type: T }> => o.type === type,
  );

describe('ChordNode', () => {
  it('refuses to be a node that is none', () => {
    const random = Math.random;
    expect(() => new ChordNode({ self: { ...self, id: 'x' }, random })).toThrow(
      RangeError,
    );
  });

  it('answers no lookup before it is in a ring, and itself in a ring of one', () => {
    const key = 'a'.repeat(40);
    const ask = { type: 'lookup', call: 9, key } as const;
    expect(ofType(start().handle(ask, 1), 'no-owners')).toMatchObject([
      { call: 9, reason: 'not-joined' },
    ]);
    expect(ofType(formed().handle(ask, 3_000), 'owners')).toMatchObject([
      { call: 9, key, nodes: [self], hops: 0 },
    ]);
  });

  it('is busy for those that read its state while it reads another’s', () => {
    const chord = formed();
    const other = node('8', 7008);
    const read = { v: 1, type: 'read' } as const;
    const ask = () =>
      ofType(
        chord.handle(
          { type: 'request', call: 1, from: other, message: read },
          3_000,
        ),
        'reply',
      )[0]?.message.type;
    expect(ask()).toBe('state');
    // The asker is its new successor now and is read in turn.
    expect(ask()).toBe('busy');
    const ping = { v: 1, type: 'ping', member: true } as const;
    const pong = chord.handle(
      { type: 'request', call: 2, from: other, message: ping },
      3_000,
    );
    expect(ofType(pong, 'reply')[0]?.message.type).toBe('pong');
  });

  it('refuses an older start of a node it knows', () => {
    const chord = formed();
    const message = { v: 1, type: 'read' } as const;
    const from = (incarnation: number) =>
      ofType(
        chord.handle(
          {
            type: 'request',
            call: 1,
            from: node('8', 7008, incarnation),
            message,
          },
          3_000,
        ),
        'reply',
      )[0]?.message;
    expect(from(2)?.type).toBe('state');
    expect(from(1)).toMatchObject({ type: 'stale', known: { incarnation: 2 } });
  });

  it('bounds the lookups under way and ends every one of them', () => {
    const settings = { lookupLimit: 50 };
    const chord = new ChordNode({
      self,
      random: new Random(1).uniform,
      settings,
    });
    chord.handle({ type: 'join', contacts: [] }, 0);
    for (let t = 0; chord.mode !== 'member'; t += 100)
      chord.handle({ type: 'tick' }, t);
    const message = { v: 1, type: 'read' } as const;
    chord.handle(
      { type: 'request', call: 1, from: node('8', 7008), message },
      3_000,
    );
    const key = '7'.padEnd(40, '0');
    const ended = new Map<number, string>();
    const note = (outputs: ChordOutput[]) => {
      for (const o of outputs) {
        if (o.type === 'owners') ended.set(o.call, 'owners');
        if (o.type === 'no-owners') ended.set(o.call, o.reason);
      }
    };
    for (let call = 0; call < 80; call++) {
      note(chord.handle({ type: 'lookup', call, key }, 5_000));
    }
    expect(
      [...ended.values()].filter((how) => how === 'overloaded'),
    ).toHaveLength(30);
    for (let t = 5_000; t < 20_000; t += 50)
      note(chord.handle({ type: 'tick' }, t));
    expect(ended.size).toBe(80);
    expect(chord.load.lookups).toBe(0);
  });

  it('stands whatever it is fed: no exception, nothing malformed said, all bounded', () => {
    const kinds = new Set<string>();
    let [most, longest] = [0, 0];
    for (let seed = 1; seed <= 20; seed++) {
      const random = new Random(seed);
      const chord = new ChordNode({ self, random: random.fork().uniform });
      let now = 0;
      for (let i = 0; i < 800; i++) {
        now += random.exponential(40);
        for (const output of chord.handle(randomInput(random, i), now)) {
          kinds.add(output.type);
          if ('message' in output && !isChordMessage(output.message)) {
            throw new Error(`said ${JSON.stringify(output.message)}`);
          }
          if ('beacon' in output && !isBeacon(output.beacon)) {
            throw new Error(`said ${JSON.stringify(output.beacon)}`);
          }
        }
        most = Math.max(most, chord.load.calls);
        longest = Math.max(longest, chord.successors.length);
      }
    }
    expect(most).toBeLessThan(1_500);
    expect(longest).toBe(4);
    expect(kinds).toContain('owners');
    expect(kinds).toContain('reply');
  });
});

/** Mostly well-formed lies, some rubbish. */
function randomInput(random: Random, i: number): ChordInput {
  const ref = () =>
    random.chance(0.05)
      ? ({ id: 'rubbish', port: -1 } as unknown as NodeRef)
      : node(random.hex(1), random.range(7_000, 7_020), random.int(4));
  const refs = () => Array.from({ length: random.int(6) }, ref);
  const me = () => ({ v: 1, me: ref(), member: random.chance(0.8) }) as const;
  const key = random.hex(40);
  const messages: (() => unknown)[] = [
    () => ({ v: 1, type: 'ping', member: random.chance(0.5) }),
    () => ({ v: 1, type: 'read' }),
    () => ({ v: 1, type: 'find', member: true, key, count: random.int(40) }),
    () => ({ v: 1, type: 'notify', successors: refs() }),
    () => ({ v: 1, type: 'leave', predecessor: ref(), successors: refs() }),
    () => ({ ...me(), type: 'pong' }),
    () => ({ ...me(), type: 'busy' }),
    () => ({ ...me(), type: 'stale', known: ref() }),
    () => ({
      ...me(),
      type: 'found',
      done: random.chance(0.5),
      nodes: refs(),
      predecessor: ref(),
    }),
    () => ({
      ...me(),
      type: 'state',
      predecessor: ref(),
      successors: refs(),
      contacts: refs(),
    }),
    () => random.pick([null, undefined, 7, 'x', [], { v: 2 }]),
  ];
  const message = random.pick(messages)() as ChordMessage;
  const call = random.int(i + 2);
  return random.pick<() => ChordInput>([
    () => ({ type: 'tick' }),
    () => ({ type: 'request', call, from: ref(), message }),
    () => ({ type: 'reply', call, message }),
    () => ({ type: 'unreachable', call }),
    () => ({ type: 'join', contacts: [{ host: 'h', port: 1 }] }),
    () => ({
      type: 'beacon',
      beacon: {
        node: ref(),
        state: random.pick(['joining', 'member', 'leaving']),
        successor: key,
      },
    }),
    () => ({ type: 'lookup', call, key }),
    () => ({ type: 'suspect', id: ref().id }),
  ])();
}
