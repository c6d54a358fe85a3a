import { BeaconCodec, maxBeacon, type Beacon } from './beacon';

const beacon: Beacon = {
  beacon: {
    node: {
      id: 'ab'.repeat(20),
      host: '127.0.0.1',
      port: 7000,
      incarnation: 3,
    },
    state: 'member',
    successor: 'cd'.repeat(20),
  },
  seamPort: 7070,
};
const now = 1_700_000_000_000;
const codec = new BeaconCodec('dnd', 'a long secret');

it('brings a beacon across in at most 200 bytes', () => {
  const bytes = codec.encode(beacon, now);
  expect(bytes.length).toBeLessThanOrEqual(maxBeacon);
  expect(codec.decode(bytes, now + 1000)).toEqual({ ...beacon, sentAt: now });
});

it('is deaf to other rings and knows a forged one', () => {
  const bytes = codec.encode(beacon, now);
  expect(new BeaconCodec('other', 'a long secret').decode(bytes, now)).toBe(
    undefined,
  );
  expect(new BeaconCodec('dnd', 'another secret').decode(bytes, now)).toBe(
    'forged',
  );
  expect(new BeaconCodec('dnd', undefined).decode(bytes, now)).toBe('forged');
});

it('does not take old, cut or changed datagrams', () => {
  const bytes = codec.encode(beacon, now);
  expect(codec.decode(bytes, now + 600_000)).toBe(undefined);
  for (let length = 0; length < bytes.length; length++) {
    expect(typeof codec.decode(bytes.subarray(0, length), now)).not.toBe(
      'object',
    );
  }
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at] ^= 1;
    expect(typeof codec.decode(changed, now)).not.toBe('object');
  }
});
