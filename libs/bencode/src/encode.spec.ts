import { BencodeError } from './bencode-error';
import { encode, Encoded, type Encodable } from './encode';
import { asBytes, asDictionary, asList, asNumber, asText } from './value';

const text = (value: Encodable) =>
  Buffer.from(encode(value)).toString('latin1');

describe('encode', () => {
  it('writes the four kinds', () => {
    expect(text(-42)).toBe('i-42e');
    expect(text(-0)).toBe('i0e');
    expect(text(2n ** 63n)).toBe('i9223372036854775808e');
    expect(text('π')).toBe('2:\xcf\x80');
    expect(text([1, 'a', []])).toBe('li1e1:alee');
    expect(text({ spam: 'eggs', cow: 'moo' })).toBe('d3:cow3:moo4:spam4:eggse');
  });

  it('sorts keys by their bytes', () => {
    const keys = new Map([
      ['publisher.location', 1],
      ['publisher-webpage', 2],
      ['\xff', 3],
      ['publisher', 4],
    ]);
    expect(text(keys)).toBe(
      'd9:publisheri4e17:publisher-webpagei2e18:publisher.locationi1e1:\xffi3ee',
    );
  });

  it('leaves out what is undefined', () => {
    expect(text({ a: undefined, b: 1 })).toBe('d1:bi1ee');
  });

  it('lets encoded bytes through untouched', () => {
    const info = new Encoded(Buffer.from('d1:bi01e1:ai2ee'));
    expect(text({ info })).toBe('d4:infod1:bi01e1:ai2eee');
  });

  it('grows with what is written', () => {
    const long = 'x'.repeat(100_000);
    expect(text([long, long])).toBe(`l100000:${long}100000:${long}e`);
  });

  it.each([
    ['a fraction', 1.5],
    ['an integer beyond exactness', 2 ** 53],
    ['no number', NaN],
    ['a key beyond Latin-1', { π: 1 }],
  ])('refuses %s', (_, value) => {
    expect(() => encode(value)).toThrow(BencodeError);
  });

  it('refuses what contains itself', () => {
    const loop: Encodable[] = [];
    loop.push(loop);
    expect(() => encode(loop)).toThrow('too-deep');
  });
});

describe('the accessors', () => {
  it('give the value of their type and nothing else', () => {
    const spam = Uint8Array.of(0x73, 0xff);
    expect(asBytes(spam)).toBe(spam);
    expect(asText(spam)).toBe('s\ufffd');
    expect(asList([1])).toEqual([1]);
    expect(asNumber(7)).toBe(7);
    expect(asDictionary(new Map())).toEqual(new Map());
    expect([asBytes(7), asText([]), asList(spam), asNumber(7n)]).toEqual(
      Array(4).fill(undefined),
    );
    expect(asDictionary([])).toBeUndefined();
    expect(asText(undefined)).toBeUndefined();
  });
});
