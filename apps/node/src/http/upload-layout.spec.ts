import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { layOut } from './upload-layout';

let storage: string;
beforeAll(async () => {
  storage = await mkdtemp(join(tmpdir(), 'dnd-layout-'));
  await mkdir(join(storage, '.node'));
});
afterAll(() => rm(storage, { recursive: true }));

const of = (...paths: string[]) =>
  paths.map((path, index) => ({ path, size: index }));

it.each([
  [['a.txt'], undefined, 'a.txt', false, [[]]],
  [['a.txt'], 'b.txt', 'b.txt', false, [[]]],
  [['d/a', 'd/s/b'], undefined, 'd', false, [['a'], ['s', 'b']]],
  [['d/a'], 'e', 'e', false, [['a']]],
  [['a', 'b', 'c'], undefined, 'a and 2 more', true, [['a'], ['b'], ['c']]],
  [['d/a', 'b'], 'both', 'both', true, [['d', 'a'], ['b']]],
])('%j named %j is %s', async (paths, name, root, wrapped, below) => {
  const laid = await layOut(storage, of(...paths), name);
  expect(laid).toMatchObject({ root, wrapped });
  expect(laid.files.map(({ path }) => path)).toEqual(below);
  expect(laid.files.map(({ length }) => length)).toEqual(
    paths.map((_, index) => index),
  );
});

it.each([
  [['../a'], undefined],
  [['/a'], undefined],
  [['a', 'a'], undefined],
  [['a', 'a/b'], undefined],
  [['d/x/y', 'd/x'], undefined],
  [['a'], 'b/c'],
  [['a'], '..'],
])('%j named %j is refused', async (paths, name) => {
  await expect(layOut(storage, of(...paths), name)).rejects.toMatchObject({
    code: 'bad-input',
  });
});

it('tells names apart as the disk does', async () => {
  const files = of('Readme', 'README');
  await expect(layOut(storage, files, 'x')).resolves.toBeDefined();
  await mkdir(join(storage, '.NODE'), { recursive: true });
  await expect(layOut(storage, files, 'x')).rejects.toMatchObject({
    code: 'bad-input',
  });
});
