import { appendFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PartialUpload, type Manifest } from './partial-upload';

const text = 'The quick brown fox jumps over the lazy dog';
const manifest: Manifest = {
  id: 'an-upload',
  createdAt: 1000,
  options: {},
  root: 'renamed',
  wrapped: false,
  files: [
    { path: 'folder/none.txt', size: 0 },
    { path: 'folder/one.txt', size: 10 },
    { path: 'folder/sub/none.txt', size: 0 },
    { path: 'folder/sub/two.txt', size: text.length - 10 },
    { path: 'folder/last.txt', size: 0 },
  ],
};

let home: string;
/** Is not there yet. */
let folder: string;
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'dnd-upload-'));
  folder = join(home, 'upload');
});
afterEach(() => rm(home, { recursive: true, force: true }));

async function* chunks(part: string, size: number): AsyncGenerator<Buffer> {
  for (let at = 0; at < part.length; at += size)
    yield Buffer.from(part.slice(at, at + size));
}

async function* brokenOff(part: string): AsyncGenerator<Buffer> {
  yield Buffer.from(part);
  throw new Error('aborted');
}

const read = (path: string): Promise<string> =>
  readFile(join(folder, 'content/renamed', path), 'utf8');

async function expectWhole(upload: PartialUpload): Promise<void> {
  expect(upload.isWhole).toBe(true);
  expect(await read('one.txt')).toBe(text.slice(0, 10));
  expect(await read('sub/two.txt')).toBe(text.slice(10));
  for (const empty of ['none.txt', 'sub/none.txt', 'last.txt'])
    expect(await read(empty)).toBe('');
}

it.each([1, 3, 10, 11, 100])(
  'puts bytes that come by %i into their files',
  async (size) => {
    const upload = await PartialUpload.create(folder, manifest);
    await upload.append(chunks(text, size), () => undefined);
    await expectWhole(upload);
    expect(upload.path).toBe(join(folder, 'content/renamed'));
  },
);

it.each([0, 1, 9, 10, 11, text.length - 1])(
  'goes on after byte %i, in another run of the node too',
  async (cut) => {
    const before = await PartialUpload.create(folder, manifest);
    const broken = before.append(brokenOff(text.slice(0, cut)), () => 0);
    await expect(broken).rejects.toThrow('aborted');
    const upload = await PartialUpload.load(folder);
    expect(upload?.offset).toBe(cut);
    await upload?.append(chunks(text.slice(cut), 7), () => undefined);
    await expectWhole(upload as PartialUpload);
  },
);

it('begins a file again that is larger than it should be', async () => {
  const upload = await PartialUpload.create(folder, manifest);
  await upload.append(chunks(text, 20), () => undefined);
  await appendFile(join(folder, 'content/renamed/one.txt'), 'more');
  const again = await PartialUpload.load(folder);
  expect(again?.offset).toBe(0);
  await again?.append(chunks(text, 20), () => undefined);
  await expectWhole(again as PartialUpload);
});

it('refuses more bytes than were announced and keeps those that were', async () => {
  const upload = await PartialUpload.create(folder, manifest);
  await expect(
    upload.append(chunks(`${text}!`, 9), () => undefined),
  ).rejects.toMatchObject({ code: 'too-large' });
  await expectWhole(upload);
});

it('is nothing once its content was taken, or its folder deleted', async () => {
  const upload = await PartialUpload.create(folder, manifest);
  await rm(join(folder, 'content'), { recursive: true });
  expect(await PartialUpload.load(folder)).toBeUndefined();
  await upload.remove();
  await expect(stat(folder)).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await PartialUpload.load(folder)).toBeUndefined();
});
