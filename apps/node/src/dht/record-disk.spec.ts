import type { DataRecord } from '@dnd/records';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { RecordDisk } from './record-disk';

let storage: string;
beforeEach(() => {
  storage = mkdtempSync(join(tmpdir(), 'records-'));
  mkdirSync(join(storage, '.node'));
});
afterEach(() => rmSync(storage, { recursive: true }));

const record = (item: string, value?: Uint8Array): DataRecord => ({
  kind: 'catalogue',
  place: 'aa'.repeat(20),
  item,
  stamp: `s${item}`,
  digest: value ? 'd' : '',
  size: value?.length ?? 0,
  ...(value ? { value } : {}),
});

it('has what it was given, after a restart too', async () => {
  const { disk } = RecordDisk.open(storage);
  await disk.write(
    [
      record('1', new Uint8Array([1, 2])),
      record('2'),
      record('3', new Uint8Array([3])),
    ],
    [],
  );
  await disk.write([record('3', new Uint8Array([4]))], [record('1')]);
  disk.close();
  const { disk: again } = RecordDisk.open(storage);
  const loaded = [...again.load()].flat();
  expect(loaded.map(({ item }) => item).sort()).toEqual(['2', '3']);
  expect(
    again
      .values([record('3'), record('1'), record('2')])
      .map((value) => value && [...value]),
  ).toEqual([[4], undefined, undefined]);
  expect(again.counts().byKind.catalogue).toBe(1);
  expect(again.counts().between('a0'.repeat(20), 'ab'.repeat(20))).toBe(1);
  expect(again.counts().between('ab'.repeat(20), 'ac'.repeat(20))).toBe(0);
  again.close();
});

it('puts a damaged database aside and starts', () => {
  writeFileSync(
    join(storage, '.node', 'records.db'),
    'this is no database, whatever its name says'.repeat(100),
  );
  const { disk, damaged } = RecordDisk.open(storage);
  expect(damaged).toMatch(/damaged/);
  expect([...disk.load()].flat()).toEqual([]);
  disk.close();
});
