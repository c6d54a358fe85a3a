import { buildTree, firstOpen, visibleNodes } from './tree';

const files = [
  { index: 0, path: 'a/x/1.txt', size: 10, completedBytes: 5 },
  { index: 1, path: 'a/2.txt', size: 20, completedBytes: 20 },
  { index: 2, path: 'b.txt', size: 1 },
];

describe('buildTree', () => {
  it('sums what is in a folder', () => {
    const [a, b] = buildTree(files);
    expect(a).toMatchObject({ name: 'a', size: 30, done: 25, files: [0, 1] });
    expect(a.children.map(({ name }) => name)).toEqual(['x', '2.txt']);
    expect(b.file?.index).toBe(2);
  });

  it('shows only what is open, and opens small torrents whole', () => {
    const tree = buildTree(files);
    expect(visibleNodes(tree, new Set()).map(({ name }) => name)).toEqual([
      'a',
      'b.txt',
    ]);
    expect(visibleNodes(tree, firstOpen(tree))).toHaveLength(5);
    expect(firstOpen(tree, 2).size).toBe(0);
  });

  it('is not fooled by names of the object prototype', () => {
    const tree = buildTree([
      { index: 0, path: '__proto__/constructor', size: 1 },
    ]);
    expect(tree[0].children[0].name).toBe('constructor');
  });
});
