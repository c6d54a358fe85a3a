import * as fc from 'fast-check';
import { BencodeError } from './bencode-error';
import { decode, decodeDictionary, decodePrefix } from './decode';
import { encode } from './encode';
import { keyBytes, keyOf, type BencodeValue } from './value';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const read = (text: string) => decode(bytes(text));

function codeOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof BencodeError) return `${error.code}@${error.offset}`;
    throw error;
  }
  return 'accepted';
}

const value = fc.letrec<{ value: BencodeValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5 },
    fc.maxSafeInteger(),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 64n - 1n }),
    fc.uint8Array({ maxLength: 40 }),
    fc.array(tie('value'), { maxLength: 5 }),
    fc
      .array(fc.tuple(fc.uint8Array({ maxLength: 6 }), tie('value')), {
        maxLength: 5,
      })
      .map((pairs) =>
        sortedMap(pairs.map(([key, item]) => [keyOf(key), item])),
      ),
  ),
})).value;

function sortedMap(entries: [string, BencodeValue][]): BencodeValue {
  const unique = [...new Map(entries)];
  return new Map(unique.sort(([a], [b]) => (a < b ? -1 : 1)));
}

describe('decode', () => {
  it('reads the four kinds', () => {
    expect(read('i-42e')).toBe(-42);
    expect(read('4:spam')).toEqual(new Uint8Array(bytes('spam')));
    expect(read('li1ei2ee')).toEqual([1, 2]);
    expect(read('d1:ai1e1:bi2ee')).toEqual(
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
    );
  });

  it('keeps every digit', () => {
    expect(read('i9007199254740991e')).toBe(9007199254740991);
    expect(read('i9007199254740993e')).toBe(9007199254740993n);
    expect(read('i-9223372036854775808e')).toBe(-9223372036854775808n);
    expect(read('i18446744073709551615e')).toBe(18446744073709551615n);
  });

  it.each([
    ['', 'truncated@0'],
    ['i12', 'truncated@3'],
    ['ie', 'bad-integer@1'],
    ['i--1e', 'bad-integer@2'],
    ['i1.5e', 'bad-integer@2'],
    ['i18446744073709551616e', 'integer-range@0'],
    ['i-9223372036854775809e', 'integer-range@0'],
    ['5:hell', 'truncated@0'],
    ['99999999999999999999:a', 'truncated@0'],
    ['4;spam', 'bad-length@1'],
    ['di1ei2ee', 'unexpected-byte@1'],
    ['d1:ae', 'unexpected-byte@4'],
    ['l', 'truncated@1'],
    ['e', 'unexpected-byte@0'],
    ['i1ei2e', 'trailing-bytes@3'],
  ])('refuses %j: %s', (text, code) => {
    expect(codeOf(() => read(text))).toBe(code);
  });

  it.each([
    ['i01e', 'bad-integer@0'],
    ['i-0e', 'bad-integer@0'],
    ['i00e', 'bad-integer@0'],
    ['01:a', 'bad-length@0'],
    ['d1:bi1e1:ai2ee', 'unsorted-keys@7'],
    ['d1:ai1e1:ai2ee', 'duplicate-key@7'],
  ])('takes %j unless strict: %s', (text, code) => {
    expect(codeOf(() => read(text))).toBe('accepted');
    expect(codeOf(() => decode(bytes(text), { strict: true }))).toBe(code);
  });

  it('reads −0 as plain zero', () => {
    expect(Object.is(read('i-0e'), 0)).toBe(true);
  });

  it('lets a nested dictionary start its own order', () => {
    const text = 'd1:bd1:ai1ee1:cd1:ai1eee';
    expect(codeOf(() => decode(bytes(text), { strict: true }))).toBe(
      'accepted',
    );
  });

  it('gives keys no meaning to JavaScript', () => {
    const decoded = read('d9:__proto__d8:pollutedi1eee') as Map<
      string,
      unknown
    >;
    expect([...decoded.keys()]).toEqual(['__proto__']);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('keeps keys of any bytes', () => {
    const key = Uint8Array.of(0, 0x80, 0xff, 0xc3, 0x28);
    const input = Buffer.concat([bytes('d5:'), key, bytes('i1ee')]);
    const decoded = decode(input) as Map<string, unknown>;
    expect(keyBytes([...decoded.keys()][0])).toEqual(key);
  });

  it('takes strings as views, never as Buffers', () => {
    const input = bytes('l4:spame');
    const [spam] = decode(input) as Uint8Array[];
    expect(spam.constructor).toBe(Uint8Array);
    expect(spam.buffer).toBe(input.buffer);
  });

  it.each([20_000, 1_000_000])('refuses %i nested lists', (depth) => {
    const input = Buffer.alloc(depth, 'l');
    expect(codeOf(() => decode(input))).toBe('too-deep@100');
  });

  it('nests up to its bound and no further', () => {
    const nested = (n: number) => bytes('l'.repeat(n) + 'e'.repeat(n));
    expect(codeOf(() => decode(nested(100)))).toBe('accepted');
    expect(codeOf(() => decode(nested(101)))).toBe('too-deep@100');
    expect(codeOf(() => decode(nested(4), { maxDepth: 3 }))).toBe('too-deep@3');
  });

  it('bounds values and bytes', () => {
    const list = bytes(`l${'le'.repeat(9)}e`);
    expect(codeOf(() => decode(list, { maxValues: 10 }))).toBe('accepted');
    expect(codeOf(() => decode(list, { maxValues: 9 }))).toBe(
      'too-many-values@17',
    );
    expect(codeOf(() => decode(list, { maxBytes: 19 }))).toBe('too-large@19');
  });

  it('throws nothing but BencodeError, whatever the bytes', () => {
    const alphabet = fc.constantFrom(...bytes('idle0123456789:-a'));
    fc.assert(
      fc.property(fc.array(alphabet, { maxLength: 60 }), (input) => {
        codeOf(() => decode(Uint8Array.from(input)));
      }),
      { numRuns: 5_000 },
    );
  });
});

describe('decodePrefix', () => {
  it('says where the value ended (BEP 9: the piece follows)', () => {
    const message = bytes('d8:msg_typei1e5:piecei0e10:total_sizei34256eexxxx');
    const { value, end } = decodePrefix(message);
    expect(end).toBe(45);
    expect((value as Map<string, unknown>).get('total_size')).toBe(34256);
  });
});

describe('decodeDictionary', () => {
  it('gives the bytes of a value as they stand', () => {
    const { raw, end } = decodeDictionary(
      bytes('d4:infod4:name5:helloe1:zi007eerest'),
    );
    expect(Buffer.from(raw('info') ?? []).toString()).toBe('d4:name5:helloe');
    expect(Buffer.from(raw('z') ?? []).toString()).toBe('i007e');
    expect(raw('name')).toBeUndefined();
    expect(end).toBe(31);
  });

  it('takes value and span of the same one of two equal keys', () => {
    const { dictionary, raw } = decodeDictionary(bytes('d1:ai1e1:ai2ee'));
    expect(dictionary.get('a')).toBe(1);
    expect(Buffer.from(raw('a') ?? []).toString()).toBe('i1e');
  });

  it('refuses other types', () => {
    expect(codeOf(() => decodeDictionary(bytes('le')))).toBe(
      'not-a-dictionary@0',
    );
    expect(codeOf(() => decodeDictionary(bytes('')))).toBe('truncated@0');
  });
});

describe('encode and decode', () => {
  it('are each other’s inverse', () => {
    fc.assert(
      fc.property(value, (original) => {
        const encoded = encode(original);
        const decoded = decode(encoded, { strict: true });
        expect(decoded).toEqual(original);
        expect(encode(decoded)).toEqual(encoded);
      }),
    );
  });

  it('agree on where a value ends, whatever follows', () => {
    fc.assert(
      fc.property(value, fc.uint8Array({ maxLength: 9 }), (original, rest) => {
        const encoded = encode(original);
        const both = Buffer.concat([encoded, rest]);
        expect(decodePrefix(both).end).toBe(encoded.length);
      }),
    );
  });

  it('refuse every cut of a value', () => {
    fc.assert(
      fc.property(value, (original) => {
        const encoded = encode(original);
        for (let end = 0; end < encoded.length; end++) {
          expect(codeOf(() => decode(encoded.subarray(0, end)))).not.toBe(
            'accepted',
          );
        }
      }),
      { numRuns: 50 },
    );
  });
});
