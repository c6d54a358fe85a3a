/** Turns a torrent's flat list of paths into folders, each with the sums of what is in it. */
export interface TreeFile {
  readonly index: number;
  readonly path: string;
  readonly size: number;
  readonly completedBytes?: number;
  readonly priority?: number;
}

export interface TreeNode {
  readonly name: string;
  /** From the root of the torrent, parts joined by "/". */
  readonly path: string;
  readonly depth: number;
  /** Indexes of the files at or below it. */
  readonly files: number[];
  size: number;
  done: number;
  /** Undefined for a folder. */
  readonly file?: TreeFile;
  readonly children: TreeNode[];
}

export function buildTree(files: readonly TreeFile[]): TreeNode[] {
  const root: TreeNode = folder('', '', -1);
  const folders = new Map<string, TreeNode>([['', root]]);
  for (const file of files) {
    const parts = file.path.split('/');
    let parent = root;
    add(parent, file);
    for (let i = 0; i < parts.length - 1; i++) {
      const path = parts.slice(0, i + 1).join('/');
      let next = folders.get(path);
      if (!next) {
        next = folder(parts[i], path, i);
        folders.set(path, next);
        parent.children.push(next);
      }
      parent = next;
      add(parent, file);
    }
    parent.children.push({
      ...folder(parts[parts.length - 1], file.path, parts.length - 1),
      files: [file.index],
      size: file.size,
      done: file.completedBytes ?? 0,
      file,
    });
  }
  return root.children;
}

/** The rows to show: folders in `open` with what is in them. */
export function visibleNodes(
  nodes: readonly TreeNode[],
  open: ReadonlySet<string>,
  into: TreeNode[] = [],
): TreeNode[] {
  for (const node of nodes) {
    into.push(node);
    if (!node.file && open.has(node.path)) {
      visibleNodes(node.children, open, into);
    }
  }
  return into;
}

/** Folders to open at first: all of a small torrent, the top of a large one. */
export function firstOpen(nodes: readonly TreeNode[], max = 60): Set<string> {
  const open = new Set<string>();
  let shown = nodes.length;
  let level = nodes.filter(({ file }) => !file);
  while (level.length > 0) {
    shown += level.reduce((sum, { children }) => sum + children.length, 0);
    if (shown > max) break;
    for (const { path } of level) open.add(path);
    level = level.flatMap(({ children }) =>
      children.filter(({ file }) => !file),
    );
  }
  return open;
}

function folder(name: string, path: string, depth: number): TreeNode {
  return { name, path, depth, files: [], size: 0, done: 0, children: [] };
}

function add(node: TreeNode, file: TreeFile): void {
  node.files.push(file.index);
  node.size += file.size;
  node.done += file.completedBytes ?? 0;
}
