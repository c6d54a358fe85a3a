/** What a row of the catalogue offers: to download, or how far its download is, or to open it. */
import { Component, computed, inject, input } from '@angular/core';
import { RouterLink } from '@angular/router';
import type { CatalogueEntryDto } from '@dnd/api-client';
import { kindOfAll } from '@dnd/kinds';
import { isDone, progressOf } from '../downloads/download-words';
import { Formats } from '../language/formats';
import { Language } from '../language/language';
import { DownloadStore } from '../live/download-store';
import { Icon } from '../ui/icon';
import { plays } from '../ui/kinds';
import { FileActions } from './file-actions';

@Component({
  selector: 'app-file-state',
  imports: [Icon, RouterLink],
  template: `
    @if (download(); as d) {
      @if (done()) {
        <a
          class="tool good"
          data-cell
          [routerLink]="['/view', d.id]"
          [attr.aria-label]="t().files.openOf(entry().name)"
          [title]="t().actions.open"
        >
          <app-icon [name]="icon()" />
        </a>
      } @else {
        <a
          class="part"
          data-cell
          [routerLink]="['/downloads', d.id]"
          [title]="t().states[d.state]"
        >
          {{ percent() }}
          <span class="cdk-visually-hidden">{{ t().states[d.state] }}</span>
        </a>
      }
    } @else {
      <button
        class="tool"
        type="button"
        data-cell
        [attr.aria-label]="t().files.downloadOf(entry().name)"
        [title]="t().files.download"
        (click)="actions.download(entry().infoHash)"
      >
        <app-icon name="download" />
      </button>
    }
  `,
  styles: `
    .good {
      color: var(--app-good);
    }
    .part {
      display: grid;
      place-items: center;
      min-width: 40px;
      height: 40px;
      border-radius: 20px;
      color: var(--mat-sys-primary);
      font: var(--mat-sys-label-large);
      font-variant-numeric: tabular-nums;
      text-decoration: none;
    }
  `,
})
export class FileState {
  readonly entry = input.required<CatalogueEntryDto>();

  private readonly store = inject(DownloadStore);
  private readonly f = inject(Formats);
  protected readonly actions = inject(FileActions);
  protected readonly t = inject(Language).texts;

  protected readonly download = computed(() =>
    this.store.find(this.entry().infoHash),
  );
  protected readonly done = computed(() => {
    const download = this.download();
    return download !== undefined && isDone(download);
  });
  protected readonly icon = computed(() =>
    plays(kindOfAll(this.entry())) ? 'play' : 'eye',
  );
  protected readonly percent = computed(() => {
    const download = this.download();
    return download ? this.f.percent(progressOf(download)) : '';
  });
}
