/** What this node published or finished: the node's list, with the live figures of its downloads over it. */
import { effect, inject, Injectable, signal, computed } from '@angular/core';
import { Api, listLibrary, type LibraryItemDto } from '@dnd/api-client';
import { DownloadStore } from '../live/download-store';
import { EventStream } from '../live/event-stream';

/** Changes are gathered for this long before the list is read again, ms. */
const gathering = 250;

@Injectable()
export class LibraryStore {
  private readonly api = inject(Api);
  private readonly downloads = inject(DownloadStore);
  private readonly list = signal<readonly LibraryItemDto[] | undefined>(
    undefined,
  );
  private readonly trouble = signal<unknown>(undefined);

  /** Undefined until the node has answered. */
  readonly items = this.list.asReadonly();
  readonly error = this.trouble.asReadonly();
  readonly total = computed(() => this.list()?.length ?? 0);

  constructor() {
    const events = inject(EventStream);
    effect((onCleanup) => {
      // Whatever starts or ends may belong into the library now.
      this.downloads.shape();
      events.state();
      const timer = setTimeout(() => void this.load(), gathering);
      onCleanup(() => clearTimeout(timer));
    });
    void this.load();
  }

  /** The item as it is now. */
  live(item: LibraryItemDto): LibraryItemDto {
    const download = this.downloads.find(item.infoHash);
    if (!download) return item;
    const { state, uploadedBytes, uploadRate, peers } = download;
    return { ...item, state, uploadedBytes, uploadRate, peers };
  }

  async load(): Promise<void> {
    try {
      this.list.set((await this.api.invoke(listLibrary)).items);
      this.trouble.set(undefined);
    } catch (error) {
      this.trouble.set(error);
    }
  }
}
