import {
  decodeClient,
  decodeEntry,
  decodeNamed,
  encodeClient,
  encodeEntry,
  encodeNamed,
} from './values';

const infoHash = '0f'.repeat(20);

it('brings records back as they were', () => {
  const entry = {
    infoHash,
    name: 'ñ 😀',
    size: 2 ** 40,
    files: 3,
    comment: 'c',
    private: true,
    publisherId: 2 ** 48 - 1,
    publisherName: 'p',
    publishedAt: 1_700_000_000_000,
    paths: 'a\nb',
  };
  expect(decodeEntry(encodeEntry(entry))).toEqual(entry);
  const client = {
    id: 5,
    proof: 'f'.repeat(64),
    name: 'n',
    host: '::1',
    port: 6881,
  };
  expect(decodeClient(encodeClient(client))).toEqual(client);
  expect(decodeNamed(encodeNamed({ infoHash, publishedAt: 3 }))).toEqual({
    infoHash,
    publishedAt: 3,
  });
});

it('refuses what is no record', () => {
  expect(() => decodeEntry(new Uint8Array([1]))).toThrow(RangeError);
  expect(() =>
    decodeNamed(encodeNamed({ infoHash: 'short', publishedAt: 1 })),
  ).toThrow(RangeError);
  expect(() => decodeNamed(encodeNamed({ infoHash, publishedAt: -1 }))).toThrow(
    RangeError,
  );
  expect(() =>
    decodeClient(
      encodeClient({
        id: 1,
        proof: 'x'.repeat(65),
        name: '',
        host: '',
        port: 1,
      }),
    ),
  ).toThrow(RangeError);
});
