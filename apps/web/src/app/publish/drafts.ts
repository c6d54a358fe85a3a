/** What was chosen or dropped and waits on the publish page for its options. */
import { computed, Injectable, signal } from '@angular/core';
import type { TorrentFormat } from '@dnd/api-client';
import type { Picked, PickedFile } from './dropped-files';
import { newId } from './new-id';

export interface Draft {
  /** Also of the upload and of the publication that it becomes. */
  readonly id: string;
  readonly name: string;
  readonly comment: string;
  readonly private: boolean;
  readonly format: TorrentFormat | '';
  /** Bytes; 0 leaves it to the node. */
  readonly pieceLength: number;
  readonly folder: boolean;
  readonly files: readonly PickedFile[];
  readonly size: number;
}

@Injectable({ providedIn: 'root' })
export class Drafts {
  private readonly list = signal<readonly Draft[]>([]);

  readonly all = this.list.asReadonly();
  readonly size = computed(() =>
    this.list().reduce((sum, { size }) => sum + size, 0),
  );
  /** Single files could also become one folder. */
  readonly canJoin = computed(
    () => this.list().filter(({ folder }) => !folder).length > 1,
  );

  add(picked: readonly Picked[]): void {
    const drafts = picked
      .filter(({ files }) => files.length > 0)
      .map((item) => this.draft(item));
    this.list.update((before) => [...before, ...drafts]);
  }

  change(id: string, change: Partial<Draft>): void {
    this.list.update((before) =>
      before.map((draft) =>
        draft.id === id ? { ...draft, ...change } : draft,
      ),
    );
  }

  remove(id: string): void {
    this.list.update((before) => before.filter((draft) => draft.id !== id));
  }

  clear(): void {
    this.list.set([]);
  }

  /** Makes one folder draft of all single files. */
  join(name: string): void {
    const single = this.list().filter(({ folder }) => !folder);
    const folder: Picked = {
      name,
      folder: true,
      files: apart(single.flatMap(({ files }) => files)),
    };
    this.list.update((before) => [
      this.draft(folder),
      ...before.filter((draft) => draft.folder),
    ]);
  }

  /** Hands over everything and forgets it. */
  take(): readonly Draft[] {
    const drafts = this.list();
    this.clear();
    return drafts;
  }

  private draft({ name, folder, files }: Picked): Draft {
    return {
      id: newId(),
      name,
      comment: '',
      private: false,
      format: '',
      pieceLength: 0,
      folder,
      files,
      size: files.reduce((sum, { file }) => sum + file.size, 0),
    };
  }
}

/** Files of the same name get a number: a folder holds each name once. */
function apart(files: readonly PickedFile[]): PickedFile[] {
  const taken = new Set<string>();
  return files.map(({ file, path }) => {
    let free = path;
    for (let n = 2; taken.has(free); n++) {
      free = path.replace(/(\.[^.]*)?$/, ` (${n})$1`);
    }
    taken.add(free);
    return { file, path: free };
  });
}
