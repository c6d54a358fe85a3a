/** Shows or plays one file of a torrent in the browser, also while it is still downloading; others are listed beside it. */
import {
  Component,
  computed,
  effect,
  inject,
  input,
  linkedSignal,
  signal,
} from '@angular/core';
import { Location } from '@angular/common';
import { MatButton, MatIconButton } from '@angular/material/button';
import { MatProgressBar } from '@angular/material/progress-bar';
import { DomSanitizer } from '@angular/platform-browser';
import { Router, RouterLink } from '@angular/router';
import { Api, getDownloadFiles } from '@dnd/api-client';
import { Formats } from '../language/formats';
import { Language } from '../language/language';
import { DownloadStore } from '../live/download-store';
import { polled } from '../live/polled';
import { contentUrl } from '../ui/content-url';
import { Empty } from '../ui/empty';
import { FileTree } from '../ui/file-tree';
import { Icon } from '../ui/icon';
import { showOf } from '../ui/kinds';

/** Of a text, bytes: more is nothing to read in a page. */
const maxText = 512 * 1024;

@Component({
  selector: 'app-viewer',
  imports: [
    Empty,
    FileTree,
    Icon,
    MatButton,
    MatIconButton,
    MatProgressBar,
    RouterLink,
  ],
  templateUrl: './viewer.html',
  styleUrl: './viewer.scss',
})
export class Viewer {
  /** From the route. */
  readonly infoHash = input.required<string>();
  /** From the query: the path inside the torrent. */
  readonly file = input<string>();

  private readonly api = inject(Api);
  private readonly location = inject(Location);
  private readonly router = inject(Router);
  private readonly sanitizer = inject(DomSanitizer);
  private readonly store = inject(DownloadStore);
  protected readonly f = inject(Formats);
  protected readonly t = inject(Language).texts;

  private readonly asked = polled(() => {
    const id = this.infoHash();
    return () => this.api.invoke(getDownloadFiles, { id });
  }, 3000);
  protected readonly files = computed(() => this.asked.value()?.items ?? []);
  protected readonly missing = computed(
    () =>
      (this.asked.error() !== undefined && this.files().length === 0) ||
      (this.files().length > 0 && this.path() === undefined),
  );
  protected readonly path = computed(() => {
    const files = this.files();
    const wanted = this.file();
    if (wanted !== undefined) {
      return files.find(({ path }) => path === wanted)?.path;
    }
    const largest = [...files].sort((a, b) => b.size - a.size);
    return (largest.find(({ path }) => showOf(path)) ?? largest.at(0))?.path;
  });
  protected readonly name = computed(
    () => this.path()?.split('/').at(-1) ?? '',
  );
  protected readonly title = computed(
    () => this.store.find(this.infoHash())?.name ?? this.name(),
  );
  protected readonly show = computed(() => showOf(this.name()));
  protected readonly url = computed(() => {
    const path = this.path();
    return path === undefined ? '' : contentUrl(this.infoHash(), path);
  });
  /** Same origin, PDF only, served by the node without scripts. */
  protected readonly frame = computed(() =>
    this.sanitizer.bypassSecurityTrustResourceUrl(this.url()),
  );
  protected readonly failed = linkedSignal({
    source: this.url,
    computation: () => false,
  });
  protected readonly waiting = linkedSignal({
    source: this.url,
    computation: () => true,
  });
  protected readonly text = signal<string | undefined>(undefined);
  protected readonly truncated = signal(false);

  constructor() {
    effect((onCleanup) => {
      const url = this.url();
      const isText = this.show() === 'text';
      this.text.set(undefined);
      if (!isText || url === '') return;
      const abort = new AbortController();
      void this.read(url, abort.signal);
      onCleanup(() => abort.abort());
    });
  }

  protected open(path: string): void {
    void this.router.navigate([], {
      queryParams: { file: path },
      replaceUrl: true,
    });
  }

  protected back(): void {
    if (this.router.lastSuccessfulNavigation()?.previousNavigation) {
      this.location.back();
    } else void this.router.navigate(['/library']);
  }

  private async read(url: string, signal: AbortSignal): Promise<void> {
    try {
      const headers = { Range: `bytes=0-${maxText - 1}` };
      const response = await fetch(url, { headers, signal });
      // An empty file has no range that could be met.
      if (!response.ok && response.status !== 416) throw new Error();
      const text = response.ok ? await response.text() : '';
      const total = /\/(\d+)$/.exec(
        response.headers.get('Content-Range') ?? '',
      );
      this.truncated.set(Number(total?.[1] ?? 0) > maxText);
      this.text.set(text);
      this.waiting.set(false);
    } catch {
      if (!signal.aborted) this.failed.set(true);
    }
  }
}
