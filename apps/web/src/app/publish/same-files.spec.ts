import { sameFiles } from './same-files';

const chosen = (path: string, size: number, lastModified = 5) => ({
  path,
  file: new File(['x'.repeat(size)], path, { lastModified }),
});
const wanted = (path: string, size: number, modified?: number) =>
  modified === undefined ? { path, size } : { path, size, modified };

describe('files chosen again', () => {
  it('are those of the upload, in its order', () => {
    const [b, a] = [chosen('f/b', 2), chosen('f/a', 1)];
    const found = sameFiles(
      [wanted('f/a', 1, 5), wanted('f/b', 2)],
      [b, a, chosen('f/more', 3)],
    );
    expect(found).toEqual([a, b]);
  });

  it('may have another name if it is only one', () => {
    const file = chosen('renamed', 3);
    expect(sameFiles([wanted('film', 3, 5)], [file])).toEqual([
      { path: 'film', file: file.file },
    ]);
  });

  it.each([
    ['another size', [wanted('a', 2, 5)], [chosen('a', 1)]],
    ['another time', [wanted('a', 1, 6)], [chosen('a', 1)]],
    ['one missing', [wanted('a', 1), wanted('b', 1)], [chosen('a', 1)]],
    ['none', [wanted('a', 1)], []],
  ])('are not those: %s', (_what, files, again) => {
    expect(sameFiles(files, again)).toBeUndefined();
  });
});
