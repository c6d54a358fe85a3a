/** One download as a row of the list; it redraws itself when this download changes, and only then. */
import { Component, computed, inject, input } from '@angular/core';
import { RouterLink } from '@angular/router';
import { kindOfAll } from '@dnd/kinds';
import { Formats } from '../language/formats';
import { Language } from '../language/language';
import { DownloadStore } from '../live/download-store';
import { Icon } from '../ui/icon';
import { KindIcon } from '../ui/kind-icon';
import { plays } from '../ui/kinds';
import { DownloadActions } from './download-actions';
import { can, isDone, progressOf, reasonOf, toneOf } from './download-words';

@Component({
  selector: 'app-download-row',
  imports: [Icon, KindIcon, RouterLink],
  templateUrl: './download-row.html',
  styleUrl: './download-row.scss',
  host: { style: 'display: contents' },
})
export class DownloadRow {
  readonly id = input.required<string>();
  readonly wide = input.required<boolean>();
  readonly roomy = input.required<boolean>();

  private readonly store = inject(DownloadStore);
  protected readonly actions = inject(DownloadActions);
  protected readonly f = inject(Formats);
  protected readonly t = inject(Language).texts;

  protected readonly download = computed(() => this.store.find(this.id()));
  protected readonly kind = computed(() => {
    const download = this.download();
    return download ? kindOfAll(download) : 'other';
  });
  protected readonly plays = plays;
  protected readonly part = computed(() => {
    const download = this.download();
    return download ? progressOf(download) : 0;
  });
  protected readonly tone = computed(() =>
    toneOf(this.download()?.state ?? 'queued'),
  );
  /** The state, with its reason in words. */
  protected readonly words = computed(() => {
    const download = this.download();
    if (!download) return '';
    const state = this.t().states[download.state];
    const reason = reasonOf(download, this.t());
    return reason ? `${state}: ${reason}` : state;
  });
  protected readonly opens = computed(() => {
    const download = this.download();
    return download !== undefined && isDone(download);
  });
  /** The one thing that is most likely wanted of what cannot be opened. */
  protected readonly act = computed(() => {
    const download = this.download();
    const acts = ['retry', 'resume', 'pause'] as const;
    return download && acts.find((act) => can(act, download));
  });

  protected labelOf(act: 'retry' | 'resume' | 'pause', name: string): string {
    return this.t().downloads[`${act}Of` as const](name);
  }
}
