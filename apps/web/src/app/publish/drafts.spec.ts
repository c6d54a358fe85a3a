import { Drafts } from './drafts';
import { pickedFrom } from './dropped-files';

const file = (name: string, path = ''): File =>
  Object.defineProperty(new File(['12345'], name), 'webkitRelativePath', {
    value: path,
  });

describe('what was chosen to publish', () => {
  it('becomes one draft a file and one a folder', () => {
    const drafts = new Drafts();
    drafts.add(
      pickedFrom([
        file('a.txt'),
        file('1.flac', 'album/cd 1/1.flac'),
        file('2.flac', 'album/2.flac'),
      ]),
    );
    expect(drafts.all().map(({ name, size }) => [name, size])).toEqual([
      ['album', 10],
      ['a.txt', 5],
    ]);
    expect(drafts.all()[0].files.map(({ path }) => path)).toEqual([
      'album/2.flac',
      'album/cd 1/1.flac',
    ]);
  });

  it('can be joined to one folder, and is handed over once', () => {
    const drafts = new Drafts();
    drafts.add(pickedFrom([file('a.txt'), file('a.txt')]));
    expect(drafts.canJoin()).toBe(true);
    drafts.join('both');
    const [both] = drafts.take();
    expect(both).toMatchObject({ name: 'both', folder: true, size: 10 });
    expect(both.files.map(({ path }) => path)).toEqual(['a.txt', 'a (2).txt']);
    expect(drafts.all()).toEqual([]);
  });
});
