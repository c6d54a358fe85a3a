import { leavingAddress } from './leaving-address';

it.each([
  ['10.1.0.2', '10.1.0.3', '10.1.0.2'],
  ['10.1.0.2', '192.0.2.1', '10.1.0.2'],
  ['10.1.0.2', '127.0.0.1', undefined],
  ['10.1.0.2', '2001:db8::1', undefined],
  ['127.5.0.1', '127.0.0.9', '127.5.0.1'],
  ['127.5.0.1', '10.1.0.3', undefined],
  ['127.0.0.1', '127.0.0.9', undefined],
  ['2001:db8::1', '2001:db8::2', '2001:db8::1'],
  ['2001:db8::1', '10.1.0.3', undefined],
  ['0.0.0.0', '10.1.0.3', undefined],
  ['::', '2001:db8::2', undefined],
  ['localhost', '127.0.0.9', undefined],
])('a node that listens on %s dials %s from %s', (host, to, from) =>
  expect(leavingAddress(host, to)).toBe(from),
);
