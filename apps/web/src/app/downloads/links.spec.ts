import { isTorrent, readLink } from './links';

const hash = '0123456789abcdef0123456789ABCDEF01234567';

describe('readLink', () => {
  it('takes magnet links and info-hashes, whatever surrounds them', () => {
    const magnet = `magnet:?xt=urn:btih:${hash}&dn=x`;
    expect(readLink(` ${magnet}\n`)).toEqual({ magnet });
    expect(readLink(hash)).toEqual({ infoHash: hash.toLowerCase() });
    expect(readLink(`magnet:?dn=x&xt.1=urn:btmh:1220${hash}`)).toBeDefined();
  });

  it.each([
    '',
    'magnet:?dn=x',
    hash.slice(1),
    'https://example.org',
    'x'.repeat(40),
  ])('refuses %p', (text) => expect(readLink(text)).toBeUndefined());

  it('knows a .torrent by its name', () => {
    expect(isTorrent({ name: 'A.TORRENT' })).toBe(true);
    expect(isTorrent({ name: 'torrent' })).toBe(false);
  });
});
