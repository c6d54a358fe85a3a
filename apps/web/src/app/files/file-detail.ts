import {
  Component,
  computed,
  effect,
  inject,
  input,
  linkedSignal,
  resource,
} from '@angular/core';
import { MatButton, MatIconButton } from '@angular/material/button';
import { MatProgressBar } from '@angular/material/progress-bar';
import { Router, RouterLink } from '@angular/router';
import { Api, getCatalogueEntry } from '@dnd/api-client';
import { Formats } from '../language/formats';
import { Language } from '../language/language';
import { CatalogueVersion } from '../live/catalogue-version';
import { DownloadStore } from '../live/download-store';
import { RingStore } from '../live/ring-store';
import { ownersOf, shortOf } from '../ring/ring-picture';
import { problemText } from '../session/problem';
import { Clipboard } from '../ui/clipboard';
import { DetailPanel } from '../ui/detail-panel';
import { FileTree } from '../ui/file-tree';
import { Icon } from '../ui/icon';
import { showOf } from '../ui/kinds';
import { FileActions } from './file-actions';
import { Health } from './health';

@Component({
  selector: 'app-file-detail',
  imports: [
    DetailPanel,
    FileTree,
    Health,
    Icon,
    MatButton,
    MatIconButton,
    MatProgressBar,
    RouterLink,
  ],
  templateUrl: './file-detail.html',
  styles: `
    .versions {
      display: grid;
      gap: 8px;
      margin: 8px 0 0;
      padding: 0;
      list-style: none;
    }
    .versions li {
      display: flex;
      flex-wrap: wrap;
      gap: 0 10px;
      align-items: baseline;
    }
    .versions small {
      color: var(--mat-sys-on-surface-variant);
    }
  `,
  host: { style: 'display: contents' },
})
export class FileDetail {
  /** From the route. */
  readonly infoHash = input.required<string>();

  private readonly api = inject(Api);
  private readonly router = inject(Router);
  private readonly ring = inject(RingStore);
  private readonly store = inject(DownloadStore);
  protected readonly actions = inject(FileActions);
  protected readonly clipboard = inject(Clipboard);
  protected readonly f = inject(Formats);
  protected readonly t = inject(Language).texts;

  private readonly asked = resource({
    params: () => this.infoHash(),
    loader: ({ params }) =>
      this.api.invoke(getCatalogueEntry, { infoHash: params }),
  });

  protected readonly loading = this.asked.isLoading;
  protected readonly entry = computed(() =>
    this.asked.hasValue() ? this.asked.value() : undefined,
  );
  protected readonly problem = computed(() => {
    const error = this.asked.error();
    if (!error) return '';
    return problemText(error.cause ?? error, this.t());
  });
  protected readonly download = computed(() =>
    this.store.find(this.infoHash()),
  );
  protected readonly streams = computed(
    () => this.entry()?.tree.some(({ path }) => showOf(path)) ?? false,
  );
  protected readonly chosen = linkedSignal<
    ReturnType<typeof this.entry>,
    ReadonlySet<number>
  >({
    source: this.entry,
    computation: (entry, previous) =>
      previous && previous.source?.infoHash === entry?.infoHash
        ? previous.value
        : new Set(entry?.tree.map(({ index }) => index)),
  });
  protected readonly chosenSize = computed(() => {
    const chosen = this.chosen();
    return (this.entry()?.tree ?? [])
      .filter(({ index }) => chosen.has(index))
      .reduce((sum, { size }) => sum + size, 0);
  });
  protected readonly partial = computed(
    () => this.chosen().size < (this.entry()?.tree.length ?? 0),
  );

  /** The nodes that keep the record, as this node sees the ring. */
  protected readonly owners = computed(() => {
    const ring = this.ring.ring();
    const infoHash = this.entry()?.infoHash;
    if (!ring || infoHash === undefined) return [];
    return ownersOf(ring, infoHash).map(({ id }) =>
      id === ring.self.id ? this.t().ring.self : shortOf(id),
    );
  });

  constructor() {
    void this.ring.load();
    const version = inject(CatalogueVersion);
    let seen = version.changes();
    effect(() => {
      if (version.changes() === seen) return;
      seen = version.changes();
      this.asked.reload();
    });
  }

  protected start(): void {
    const files = this.partial() ? [...this.chosen()] : undefined;
    void this.actions.download(this.infoHash(), files);
  }

  protected close(): void {
    void this.router.navigate(['/files'], { queryParamsHandling: 'preserve' });
  }
}
