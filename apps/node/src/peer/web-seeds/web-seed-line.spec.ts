import { parseTorrent, type Metainfo } from '@dnd/metainfo';
import { encode } from '@dnd/bencode';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { workspaceRoot } from '@nx/devkit';
import { fileUrl, refuseWebSeed } from './web-seed-line';

interface UrlCase {
  readonly id: string;
  readonly url: string;
  readonly name: string;
  readonly path?: readonly string[];
  readonly request: string;
}

const table = join(workspaceRoot, '../shared/cases/http_lsd.json');
const shared: readonly UrlCase[] = existsSync(table)
  ? (JSON.parse(readFileSync(table, 'utf8')) as { web_seed_urls: UrlCase[] })
      .web_seed_urls
  : [];

/** A torrent of one file, or of a folder with this one file in it. */
function torrentOf(name: string, path?: readonly string[]): Metainfo {
  const place = path
    ? { files: [{ length: 1, path: [...path] }] }
    : { length: 1 };
  const info = {
    name,
    'piece length': 16_384,
    pieces: 'a'.repeat(20),
    ...place,
  };
  return parseTorrent(encode({ info }));
}

describe('where a web seed has a file (BEP 19)', () => {
  it.each<UrlCase>([
    {
      id: 'the URL is the file itself',
      url: 'http://a.example/x.bin?key=1',
      name: 'other.bin',
      request: 'http://a.example/x.bin?key=1',
    },
    {
      id: 'a folder has the file under its name',
      url: 'http://a.example/pub/',
      name: 'x y.bin',
      request: 'http://a.example/pub/x%20y.bin',
    },
    {
      id: 'a folder of files is never the file itself',
      url: 'http://a.example/pub',
      name: 'ñ',
      path: ['a+b', '50%?.txt'],
      request: 'http://a.example/pub/%C3%B1/a%2Bb/50%25%3F.txt',
    },
    ...shared,
  ])('$id', ({ url, name, path, request }) => {
    const metainfo = torrentOf(name, path);
    expect(fileUrl(url, metainfo, metainfo.files[0].path)).toBe(request);
  });
});

describe('what is not asked', () => {
  it.each([
    ['ftp://a.example/x', /scheme/],
    ['file:///etc/passwd', /scheme/],
    ['not a url', /not a URL/],
    ['http://127.0.0.1/api?do=it', /query/],
    ['http://localhost./x?y', /query/],
    ['http://[::1]/x?y', /query/],
    ['http://[::ffff:127.0.0.1]/x?y', /query/],
    ['http://0x7f.1/x?y', /query/],
    ['http://0.0.0.0/x?y', /query/],
    ['http://[::]/x?y', /query/],
    ['http://[::ffff:0:0]/x?y', /query/],
    ['http://192.168.1.1/admin?restart', /query/],
    ['http://169.254.169.254/latest?y', /query/],
    ['http://[fe80::1]/x?y', /query/],
    ['http://[fd00::1]/x?y', /query/],
  ])('%s', (url, why) => {
    expect(refuseWebSeed(url)).toMatch(why);
  });

  it.each([
    'https://a.example/x?y=1',
    'http://8.8.8.8/x?y=1',
    'http://[2001:db8::1]/x?y=1',
    'http://127.0.0.1:8080/x/',
    'http://192.168.1.2:8080/x/',
    'http://[fe80::1]:8080/x/',
  ])('%s is', (url) => {
    expect(refuseWebSeed(url)).toBeUndefined();
  });
});
