import * as fc from 'fast-check';
import { decodeBase32 } from './base32';
import { formatMagnet, parseMagnet } from './magnet';
import { MetainfoError } from './metainfo-error';

const V1 = 'c9e15763f722f23e98a29decdfae341b98d53056';
const V2 = 'caf1e1c30e81cb361b9ee167c4aa64228a7fa4fa9f6105232b28ad099f3a302e';
const hex = (bytes?: Uint8Array) => Buffer.from(bytes ?? []).toString('hex');
const link = (rest: string) => parseMagnet(`magnet:?xt=urn:btih:${V1}&${rest}`);

describe('parseMagnet', () => {
  it('reads both hashes, whichever comes first', () => {
    const magnet = parseMagnet(
      `magnet:?xt=urn:btmh:1220${V2}&xt=urn:btih:${V1}`,
    );
    expect([hex(magnet.infoHashV1), hex(magnet.infoHashV2)]).toEqual([V1, V2]);
    expect(magnet.id).toBe(V1);
    expect(parseMagnet(`magnet:?xt=urn:btmh:1220${V2}`).id).toBe(
      V2.slice(0, 40),
    );
  });

  it.each([
    `magnet:?xt=urn:btih:${V1.toUpperCase()}`,
    `MAGNET:?XT=URN%3ABTIH%3A${V1}`,
    `magnet:///?xt.1=urn:btih:${V1}`,
    'magnet:?xt=urn:btih:ZHQVOY7XELZD5GFCTXWN7LRUDOMNKMCW',
    'magnet:?xt=urn:btih:zhqvoy7xelzd5gfctxwn7lrudomnkmcw',
    V1,
    'ZHQVOY7XELZD5GFCTXWN7LRUDOMNKMCW',
  ])('reads %s', (uri) => {
    expect(parseMagnet(uri).id).toBe(V1);
  });

  it.each([
    '',
    'magnet:',
    'magnet:?dn=x',
    'http://example.com/',
    `magnet:?xt=urn:btih:${V1}0`,
    `magnet:?xt=urn:btih:${V1.slice(1)}`,
    'magnet:?xt=urn:btih:ZHQVOY7XELZD5GFCTXWN7LRUDOMNKMC1',
    `magnet:?xt=urn:btmh:1114${V1}`,
    `magnet:?xt=urn:btmh:1220${V2}00`,
    `magnet:?xt=urn:btih:${V1}&xt=urn:btmh:1220${V1}`,
    'magnet:?xt=urn:sha1:PDAQRAOQQRYS76MRZJ33LK4MMVZBDSCL',
  ])('refuses %s', (uri) => {
    expect(() => parseMagnet(uri)).toThrow(MetainfoError);
  });

  it('reads names as people write them', () => {
    expect(link('dn=a+b%2Bc%C3%A9').name).toBe('a b+cé');
    expect(link('dn=100%25%20legal').name).toBe('100% legal');
    expect(link('dn=100%').name).toBe('100%');
    expect(link('dn=').name).toBeUndefined();
  });

  it('takes addresses that can be such and no others', () => {
    const { peers, announce, webSeeds } = link(
      'x.pe=host.example:1&x.pe=[::1]:2&x.pe=[::g]:2&x.pe=1.2.3:4&x.pe=a b:1&x.pe=:1&x.pe=h:0' +
        '&tr=http://a/b%3Fc=d%2Be&tr=wss://x&tr=javascript:alert(1)&tr.7=UDP://u:1' +
        '&ws=https://w/x y&ws=file:///etc/passwd',
    );
    expect(peers).toEqual([
      { host: 'host.example', port: 1 },
      { host: '::1', port: 2 },
    ]);
    expect(announce).toEqual([['http://a/b?c=d+e'], ['UDP://u:1']]);
    expect(webSeeds).toEqual(['https://w/x%20y']);
  });

  it('bounds what is selected and listed', () => {
    expect(link('so=3-1,5,2-4,9999999,-1').selectedFiles).toEqual([2, 3, 4, 5]);
    const many = Array.from({ length: 5_000 }, (_, i) => `tr=http://${i}/`);
    expect(link(many.join('&')).announce).toHaveLength(1_000);
    expect(() => link(`dn=${'x'.repeat(3_000_000)}`)).toThrow(
      expect.objectContaining({ code: 'too-large' }),
    );
  });
});

describe('formatMagnet', () => {
  it('and parseMagnet are each other’s inverse', () => {
    const hash = (length: number) =>
      fc.uint8Array({ minLength: length, maxLength: length });
    const port = fc.integer({ min: 1, max: 65_535 });
    const host = fc.oneof(
      fc.ipV4(),
      fc.constantFrom('::1', '2001:db8::2', 'peer.example'),
    );
    const url = fc.webUrl({ withQueryParameters: true });
    const parts = fc.record(
      {
        infoHashV2: hash(32),
        name: fc.string({ unit: 'grapheme', minLength: 1 }),
        announce: fc.uniqueArray(url).map((urls) => urls.map((u) => [u])),
        webSeeds: fc.uniqueArray(url),
        peers: fc.uniqueArray(fc.record({ host, port }), {
          selector: (peer) => `${peer.host} ${peer.port}`,
        }),
        selectedFiles: fc
          .uniqueArray(fc.nat(99), { minLength: 1 })
          .map((list) => list.sort((a, b) => a - b)),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(hash(20), parts, (infoHashV1, rest) => {
        const magnet = parseMagnet(formatMagnet({ infoHashV1, ...rest }));
        expect(magnet).toMatchObject({ infoHashV1, ...rest });
      }),
    );
  });

  it('escapes what would end a parameter', () => {
    const infoHashV1 = Buffer.from(V1, 'hex');
    expect(formatMagnet({ infoHashV1, name: 'a&tr=b #c' })).toBe(
      `magnet:?xt=urn:btih:${V1}&dn=a%26tr%3Db%20%23c`,
    );
    expect(() => formatMagnet({ name: 'x' })).toThrow(MetainfoError);
  });
});

describe('decodeBase32', () => {
  it('reads RFC 4648’s vectors', () => {
    const text = (encoded: string) =>
      Buffer.from(decodeBase32(encoded) ?? []).toString();
    expect(
      ['', 'MY', 'MZXQ', 'MZXW6', 'MZXW6YQ', 'mzxw6ytb'].map(text),
    ).toEqual(['', 'f', 'fo', 'foo', 'foob', 'fooba']);
    expect(decodeBase32('MZXW1')).toBeUndefined();
  });
});
