import { isIPv6 } from 'node:net';
import fc from 'fast-check';
import { formatAddress, parseAddress } from './address';

const bytes = new Uint8Array(16);
const hex = (text: string) => {
  const length = parseAddress(text, bytes);
  return Buffer.from(bytes.subarray(0, length)).toString('hex');
};

it.each([
  ['1.2.3.4', '01020304'],
  ['255.255.255.255', 'ffffffff'],
  ['::1', '00000000000000000000000000000001'],
  ['::', '00000000000000000000000000000000'],
  ['2001:db8::8:800:200C:417A', '20010db80000000000080800200c417a'],
  ['fe80::1%eth0', 'fe800000000000000000000000000001'],
  ['1::', '00010000000000000000000000000000'],
  ['::ffff:10.0.0.1', '0a000001'],
  ['::ffff:a00:1', '0a000001'],
  ['64:ff9b::1.2.3.4', '0064ff9b000000000000000001020304'],
])('reads %s', (text, expected) => {
  expect(hex(text)).toBe(expected);
});

it.each([
  '',
  '1',
  '1.2.3',
  '1.2.3.4.5',
  '256.1.1.1',
  '01.2.3.4',
  '1..2.3',
  '1.2.3.',
  ':',
  ':1',
  '1:',
  '1:2:3:4:5:6:7',
  '1:2:3:4:5:6:7:8:9',
  '1::2::3',
  '12345::',
  'g::',
  '1:2:3:4:5:6:7:8::',
  ':::',
  'localhost',
  '::1.2.3',
  '1:2:3:4:5:6:7:1.2.3.4',
])('refuses %j', (text) => {
  expect(parseAddress(text, bytes)).toBe(0);
});

it('reads every address that it writes, as node does', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom(0, 0, 1, 0xff, 0xabcd), {
        minLength: 8,
        maxLength: 8,
      }),
      (words) => {
        const address = new Uint8Array(words.flatMap((w) => [w >> 8, w & 255]));
        const text = formatAddress(address, 0, 16);
        expect(isIPv6(text)).toBe(true);
        const mapped =
          words.slice(0, 5).every((w) => w === 0) &&
          (words[5] as number) === 0xffff;
        if (!mapped)
          expect(hex(text)).toBe(Buffer.from(address).toString('hex'));
        expect(text).toBe(new URL(`http://[${text}]/`).hostname.slice(1, -1));
      },
    ),
  );
});

it('agrees with node on which texts are addresses', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9a-f:.]{2,20}$/), (text) => {
      if (text.includes('.')) return;
      expect(parseAddress(text, bytes) !== 0).toBe(isIPv6(text));
    }),
    { numRuns: 1000 },
  );
});
