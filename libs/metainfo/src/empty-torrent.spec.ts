import { buildTorrent } from './build-torrent';
import { parseTorrent } from './parse-torrent';
import { planTorrent } from './plan-torrent';

const source = { name: 'empty.txt', files: [{ path: [], length: 0 }] };

it('refuses a torrent without content, as other clients do', () => {
  expect(() => planTorrent(source)).toThrow(
    expect.objectContaining({ code: 'invalid-length' }),
  );
  const bytes = new TextEncoder().encode(
    'd4:infod6:lengthi0e4:name4:temp12:piece lengthi16384e6:pieces0:ee',
  );
  expect(() => parseTorrent(bytes)).toThrow(
    expect.objectContaining({ code: 'invalid-length' }),
  );
});

it('makes and reads one where that is asked for', () => {
  const plan = planTorrent(source, { empty: true });
  const torrent = buildTorrent(plan, { pieces: new Uint8Array(0) });
  const metainfo = parseTorrent(torrent, { empty: true });
  expect(metainfo).toMatchObject({
    name: 'empty.txt',
    size: 0,
    pieceCount: 0,
    files: [{ path: ['empty.txt'], length: 0 }],
  });
});
