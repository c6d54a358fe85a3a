import { encode, type Encodable } from '@dnd/bencode';
import fc from 'fast-check';
import { dhtMessageKind } from './dht-message';

const id = Buffer.alloc(20, 7);
const t = Buffer.from('aa');
const kind = (message: Encodable): string | undefined =>
  dhtMessageKind(encode(message));
const query = (q: string, a: Record<string, Encodable>): Encodable => ({
  a,
  q,
  t,
  y: 'q',
});

it.each<[string, string | undefined, Encodable]>([
  ['ping', 'query', query('ping', { id })],
  ['find_node', 'query', query('find_node', { id, target: id })],
  ['get_peers', 'query', query('get_peers', { id, info_hash: id })],
  [
    'announce_peer',
    'query',
    query('announce_peer', { id, info_hash: id, port: 1, token: t }),
  ],
  ['an answer', 'response', { r: { id }, t, y: 'r' }],
  ['an answer with peers', 'response', { r: { id, values: [t] }, t, y: 'r' }],
  ['an error', 'error', { e: [201, 'no'], t, y: 'e' }],
  ['a query that stores values', undefined, query('put', { id, v: t })],
  [
    'a target that is a number',
    undefined,
    query('find_node', { id, target: 5 }),
  ],
  [
    'a target of 19 bytes',
    undefined,
    query('find_node', { id, target: id.subarray(1) }),
  ],
  [
    'an info-hash that is a list',
    undefined,
    query('get_peers', { id, info_hash: [] }),
  ],
  [
    'a token that is a number',
    undefined,
    query('announce_peer', { id, info_hash: id, port: 1, token: 5 }),
  ],
  [
    'a port of 65,536',
    undefined,
    query('announce_peer', { id, info_hash: id, port: 65_536, token: t }),
  ],
  ['no id', undefined, query('ping', {})],
  ['an answer whose id is a number', undefined, { r: { id: 1 }, t, y: 'r' }],
  [
    'an answer whose nodes are a list',
    undefined,
    { r: { id, nodes: [] }, t, y: 'r' },
  ],
  [
    'an answer with peers that are numbers',
    undefined,
    { r: { id, values: [1] }, t, y: 'r' },
  ],
  ['an error that is a text', undefined, { e: 'no', t, y: 'e' }],
  ['no transaction', undefined, { r: { id }, y: 'r' }],
  ['a kind that is not known', undefined, { t, y: 'x' }],
  ['a list', undefined, [1, 2]],
])('%s is %s', (_what, expected, message) => {
  expect(kind(message)).toBe(expected);
});

it('takes any bytes without throwing, and no message longer than 4 KiB', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      dhtMessageKind(bytes);
      dhtMessageKind(Buffer.concat([Buffer.from('d1:ad2:id20:'), bytes]));
    }),
  );
  expect(dhtMessageKind(Buffer.alloc(70_000, 'l'))).toBeUndefined();
  const values = Array<Buffer>(900).fill(Buffer.alloc(6));
  expect(kind({ r: { id, values }, t, y: 'r' })).toBeUndefined();
});
