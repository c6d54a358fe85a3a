import * as fc from 'fast-check';
import { decodeBeacon, encodeBeacon } from './beacon-codec';
import type { Beacon, ChordMessage } from './messages';
import { MAX_NODES, isBeacon, isChordMessage, isNodeRef } from './messages';
import type { NodeRef } from './node-ref';

const node: NodeRef = {
  id: '0123456789abcdef0123456789abcdef01234567',
  host: 'fe80::1%eth0',
  port: 7000,
  incarnation: 3,
};
const me = { v: 1, me: node, member: true } as const;

const messages: ChordMessage[] = [
  { v: 1, type: 'ping', member: false },
  { v: 1, type: 'read' },
  { v: 1, type: 'find', member: true, key: node.id, count: 3 },
  { v: 1, type: 'notify', successors: [node] },
  { v: 1, type: 'leave', predecessor: null, successors: [] },
  { ...me, type: 'pong' },
  { ...me, type: 'busy' },
  { ...me, type: 'state', predecessor: node, successors: [], contacts: [node] },
  { ...me, type: 'found', done: true, nodes: [node], predecessor: null },
  { ...me, type: 'stale', known: node },
];

describe('isChordMessage', () => {
  it.each(messages.map((m) => [m.type, m]))('knows %s', (_, message) => {
    expect(isChordMessage(message)).toBe(true);
    expect(isChordMessage({ ...message, later: 'field' })).toBe(true);
  });

  it.each(messages.map((m) => [m.type, m]))(
    'refuses %s when any field is missing or of another kind',
    (_, message) => {
      for (const field of Object.keys(message)) {
        for (const wrong of [undefined, 17.5, 'x', {}, [{}], NaN]) {
          expect(isChordMessage({ ...message, [field]: wrong })).toBe(false);
        }
      }
    },
  );

  it('refuses longer lists than any node sends', () => {
    const list = (length: number) => ({
      v: 1,
      type: 'notify',
      successors: Array.from({ length }, () => node),
    });
    expect(isChordMessage(list(MAX_NODES))).toBe(true);
    expect(isChordMessage(list(MAX_NODES + 1))).toBe(false);
  });

  it('survives anything', () => {
    fc.assert(
      fc.property(fc.anything(), (value) => {
        isChordMessage(value);
        isBeacon(value);
        isNodeRef(value);
      }),
    );
  });
});

describe('isNodeRef', () => {
  it.each([
    { id: node.id.toUpperCase() },
    { id: node.id.slice(1) },
    { host: '' },
    { host: 'a b' },
    { host: 'x'.repeat(256) },
    { port: 0 },
    { port: 65_536 },
    { port: 7000.5 },
    { incarnation: -1 },
    { incarnation: 2 ** 53 },
  ])('refuses %j', (wrong) => {
    expect(isNodeRef({ ...node, ...wrong })).toBe(false);
  });
});

describe('the beacon codec', () => {
  const states = ['joining', 'member', 'leaving'] as const;
  const hex = fc
    .uint8Array({ minLength: 20, maxLength: 20 })
    .map((bytes) => Buffer.from(bytes).toString('hex'));
  const beacon: fc.Arbitrary<Beacon> = fc
    .record({
      id: hex,
      host: fc.stringMatching(/^[\w.:%-]{1,100}$/),
      port: fc.integer({ min: 1, max: 65_535 }),
      incarnation: fc.nat({ max: 2 ** 48 - 1 }),
      state: fc.constantFrom(...states),
      successor: fc.option(hex, { nil: undefined }),
    })
    .filter(({ id, successor }) => id !== successor)
    .map(({ state, successor, ...self }) => ({
      node: self,
      state,
      ...(successor ? { successor } : {}),
    }));

  it('reads what it wrote, in at most 151 bytes', () => {
    fc.assert(
      fc.property(beacon, (sent) => {
        const bytes = encodeBeacon(sent);
        expect(bytes.length).toBe(51 + sent.node.host.length);
        expect(decodeBeacon(bytes)).toEqual(sent);
      }),
    );
  });

  it('is bytes that stay the same', () => {
    const bytes = encodeBeacon({
      node: { ...node, host: 'h' },
      state: 'member',
    });
    expect(Buffer.from(bytes).toString('hex')).toBe(
      `0101${node.id}${node.id}0000000000031b580168`,
    );
  });

  it('takes anything else for none', () => {
    const bytes = encodeBeacon({ node, state: 'member' });
    expect(decodeBeacon(bytes.subarray(1))).toBeUndefined();
    expect(decodeBeacon(bytes.subarray(0, -1))).toBeUndefined();
    expect(
      decodeBeacon(Buffer.concat([bytes, Buffer.from('x')])),
    ).toBeUndefined();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (random) => {
        const read = decodeBeacon(random);
        expect(read === undefined || isBeacon(read)).toBe(true);
      }),
    );
  });
});
