import { DatabaseSync } from 'node:sqlite';
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { RecordDisk } from '../../dht/record-disk';
import type { SettingsDto } from '../dto/settings.dto';
import { PeerStore, type TorrentRow } from './peer-store';

/** Damages to try of each kind; the target `damage` asks for many. */
const tries = Number(process.env['DND_DAMAGES'] ?? 12);
jest.setTimeout(900_000);

const folder = mkdtempSync(join(tmpdir(), 'dnd-peer-store-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const defaults = { name: 'me', downloadLimit: 0, utp: true } as SettingsDto;

const row = (id: number): TorrentRow => ({
  id: id.toString(16).padStart(40, '0'),
  name: `torrent ${id}`,
  torrent: new Uint8Array(500).fill(id),
  magnet: null,
  wish: 'run',
  reason: null,
  published: true,
  root: null,
  local_name: null,
  torrent_file: null,
  options: '{}',
  uploaded: id,
  added_at: id,
  completed_at: id,
  announced: false,
});

const bytesOf = (path: string): Uint8Array =>
  Uint8Array.from(readFileSync(path));

let count = 0;
/** A Storage whose state files are these bytes. */
function storageWith(name: string, bytes: Uint8Array): string {
  const storage = join(folder, `s${++count}`);
  mkdirSync(join(storage, '.node'), { recursive: true });
  writeFileSync(join(storage, '.node', name), bytes);
  return storage;
}

/** Numbers below `limit` that are the same for the same seed. */
function draws(seed: number): (limit: number) => number {
  let count = 0;
  return (limit) => {
    const name = `${seed} ${count++}`;
    return createHash('sha1').update(name).digest().readUInt32BE(0) % limit;
  };
}

/** Cut at any length, and with one to five bits flipped at any place. */
function* damages(sound: Uint8Array): Generator<readonly [number, Uint8Array]> {
  for (let seed = 1; seed <= tries; seed++) {
    const draw = draws(seed);
    yield [seed, sound.slice(0, draw(sound.length))];
    const flipped = sound.slice();
    for (let n = draw(5); n >= 0; n--)
      flipped[draw(flipped.length)] ^= 1 << draw(8);
    yield [seed, flipped];
  }
}

describe('the list of torrents', () => {
  const source = join(folder, 'sound');
  const store = new PeerStore(source);
  for (let id = 0; id < 40; id++) store.save(row(id));
  store.saveSettings({ ...defaults, name: 'told' });
  store.close();
  const sound = bytesOf(join(source, '.node', 'peer.db'));

  it('is there after a restart', () => {
    const again = new PeerStore(source);
    expect(again.lost).toEqual([]);
    expect(again.torrents()).toHaveLength(40);
    expect(again.settings(defaults).name).toBe('told');
    again.close();
  });

  it('opens whatever became of its file, says what it lost, and keeps what it is told from then on', () => {
    for (const [seed, bytes] of damages(sound)) {
      const storage = storageWith('peer.db', bytes);
      const opened = new PeerStore(storage);
      const read = opened.torrents().length;
      expect(typeof opened.settings(defaults).name).toBe('string');
      if (opened.lost.length === 0 && bytes.length > 0)
        expect([seed, read]).toEqual([seed, 40]);
      opened.save(row(77));
      opened.saveSettings(defaults);
      opened.close();
      const again = new PeerStore(storage);
      expect([seed, again.lost]).toEqual([seed, []]);
      expect([seed, again.torrents().length]).toEqual([seed, read + 1]);
      again.close();
      rmSync(storage, { recursive: true });
    }
  });

  it.each([1, 2, 99])('says so when %i bytes are left of it', (length) => {
    const opened = new PeerStore(
      storageWith('peer.db', sound.slice(0, length)),
    );
    expect(opened.lost).toHaveLength(1);
    expect(opened.torrents()).toEqual([]);
    opened.close();
  });

  it('takes over what can still be read', () => {
    const cut = sound.slice(0, sound.length - 4096);
    const storage = storageWith('peer.db', cut);
    const opened = new PeerStore(storage);
    expect(opened.lost).toHaveLength(1);
    expect(opened.torrents().length).toBeGreaterThan(10);
    opened.close();
  });

  it('leaves out settings that are no longer what they should be', () => {
    const storage = storageWith('peer.db', sound);
    const db = new DatabaseSync(join(storage, '.node', 'peer.db'));
    db.exec(`UPDATE setting SET value = '{"nam' WHERE name = 'name'`);
    db.exec(`UPDATE setting SET value = '"fast"' WHERE name = 'downloadLimit'`);
    db.close();
    const opened = new PeerStore(storage);
    expect(opened.settings(defaults)).toEqual(defaults);
    opened.close();
  });
});

it('the records of the ring open whatever became of their file', async () => {
  const source = join(folder, 'records');
  mkdirSync(join(source, '.node'), { recursive: true });
  const { disk } = RecordDisk.open(source);
  const value = new Uint8Array(300);
  await disk.write(
    Array.from({ length: 60 }, (_, i) => ({
      kind: 'torrent' as const,
      place: i.toString(16).padStart(40, '0'),
      item: 'item',
      stamp: '1',
      digest: 'd',
      size: value.length,
      value,
    })),
    [],
  );
  disk.close();
  const sound = bytesOf(join(source, '.node', 'records.db'));
  for (const [seed, bytes] of damages(sound)) {
    const storage = storageWith('records.db', bytes);
    const opened = RecordDisk.open(storage);
    const read = [...opened.disk.load()].flat().length;
    if (opened.damaged === undefined && bytes.length > 0)
      expect([seed, read]).toEqual([seed, 60]);
    opened.disk.close();
    rmSync(storage, { recursive: true });
  }
});
