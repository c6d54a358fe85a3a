/** The files of a torrent as folders: to choose some, or to see how far each is, open it and give it a priority. */
import {
  booleanAttribute,
  Component,
  computed,
  inject,
  input,
  linkedSignal,
  model,
  output,
  signal,
} from '@angular/core';
import { MatButton, MatIconButton } from '@angular/material/button';
import { kindOf } from '@dnd/kinds';
import { Formats } from '../language/formats';
import { Language } from '../language/language';
import { Icon } from './icon';
import { kindIcons, showOf } from './kinds';
import {
  buildTree,
  firstOpen,
  visibleNodes,
  type TreeFile,
  type TreeNode,
} from './tree';

/** Rows a step; more are shown on demand. */
const step = 300;

export interface PriorityChange {
  readonly files: readonly number[];
  readonly priority: number;
}

@Component({
  selector: 'app-file-tree',
  imports: [Icon, MatButton, MatIconButton],
  templateUrl: './file-tree.html',
  styleUrl: './file-tree.scss',
})
export class FileTree {
  readonly files = input.required<readonly TreeFile[]>();
  /** `choose`: boxes that only the page knows; `manage`: boxes and priorities of a download. */
  readonly mode = input<'choose' | 'manage' | 'read'>('read');
  /** Whether files can be opened. */
  readonly openable = input(false, { transform: booleanAttribute });
  readonly chosen = model<ReadonlySet<number>>(new Set());
  readonly opened = output<string>();
  readonly prioritised = output<PriorityChange>();

  protected readonly f = inject(Formats);
  protected readonly t = inject(Language).texts;
  protected readonly levels = [7, 4, 1, 0];

  private readonly shape = computed(() =>
    this.files()
      .map(({ path }) => path)
      .join('\n'),
  );
  private readonly tree = computed(() => buildTree(this.files()));
  private readonly open = linkedSignal<string, ReadonlySet<string>>({
    source: this.shape,
    computation: () => firstOpen(this.tree()),
  });
  protected readonly limit = signal(step);
  private readonly visible = computed(() =>
    visibleNodes(this.tree(), this.open()),
  );
  protected readonly nodes = computed(() =>
    this.visible().slice(0, this.limit()),
  );
  protected readonly hidden = computed(
    () => this.visible().length - this.nodes().length,
  );
  private readonly priorities = computed(
    () => new Map(this.files().map((file) => [file.index, file.priority ?? 4])),
  );

  protected iconOf(node: TreeNode) {
    return node.file ? kindIcons[kindOf(node.name)] : 'folder';
  }

  protected isOpen(node: TreeNode): boolean {
    return this.open().has(node.path);
  }

  protected fold(node: TreeNode): void {
    const open = new Set(this.open());
    if (!open.delete(node.path)) open.add(node.path);
    this.open.set(open);
  }

  protected more(): void {
    this.limit.update((limit) => limit + step);
  }

  protected part(node: TreeNode): number {
    return node.size > 0 ? node.done / node.size : 1;
  }

  protected canShow(node: TreeNode): boolean {
    return this.openable() && node.file !== undefined;
  }

  protected plays(node: TreeNode): boolean {
    const show = showOf(node.name);
    return show === 'video' || show === 'audio';
  }

  /** Of the files at or below the node: all, some, or none are wanted. */
  protected wanted(node: TreeNode): 'all' | 'some' | 'none' {
    const isWanted =
      this.mode() === 'choose'
        ? (index: number) => this.chosen().has(index)
        : (index: number) => (this.priorities().get(index) ?? 4) > 0;
    const count = node.files.filter(isWanted).length;
    if (count === 0) return 'none';
    return count === node.files.length ? 'all' : 'some';
  }

  protected want(node: TreeNode, wanted: boolean): void {
    if (this.mode() === 'manage') {
      this.prioritise(node, wanted ? 4 : 0);
      return;
    }
    const chosen = new Set(this.chosen());
    for (const index of node.files) {
      if (wanted) chosen.add(index);
      else chosen.delete(index);
    }
    this.chosen.set(chosen);
  }

  /** The one priority of all files at or below the node; undefined when they differ. */
  protected priorityOf(node: TreeNode): number | undefined {
    const all = new Set(
      node.files.map((index) => this.priorities().get(index)),
    );
    return all.size === 1 ? [...all][0] : undefined;
  }

  protected prioritise(node: TreeNode, priority: number): void {
    this.prioritised.emit({ files: node.files, priority });
  }
}
