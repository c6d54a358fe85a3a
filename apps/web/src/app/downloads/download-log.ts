import { Component, inject, input } from '@angular/core';
import { Api, getDownloadLog, type LogKind } from '@dnd/api-client';
import { Formats } from '../language/formats';
import { Language } from '../language/language';
import { polled } from '../live/polled';

const bad: ReadonlySet<LogKind> = new Set([
  'corrupt',
  'banned',
  'lost',
  'failed',
  'tracker-failed',
]);

/** What happened to a download since the node was started, the newest first. */
@Component({
  selector: 'app-download-log',
  template: `
    @if (log.value(); as list) {
      <ol>
        @for (entry of list.items; track entry.at + entry.kind + entry.detail) {
          <li [class.bad]="isBad(entry.kind)">
            <time [attr.datetime]="entry.at">{{ f.date(entry.at) }}</time>
            <span>
              {{ t().detail.logKinds[entry.kind] }}
              @if (entry.detail) {
                <span class="detail">{{ entry.detail }}</span>
              }
              @if (entry.count > 1) {
                <small>{{ t().detail.times(entry.count) }}</small>
              }
            </span>
          </li>
        } @empty {
          <li>{{ t().detail.noLog }}</li>
        }
      </ol>
    }
  `,
  styles: `
    ol {
      margin: 0;
      padding: 8px 20px 16px;
      list-style: none;
    }
    li {
      display: grid;
      grid-template-columns: 148px 1fr;
      gap: 2px 12px;
      padding: 8px 0;
      border-bottom: 1px solid var(--mat-sys-outline-variant);
    }
    time,
    .detail,
    small {
      color: var(--mat-sys-on-surface-variant);
    }
    time {
      font: var(--mat-sys-body-small);
      font-variant-numeric: tabular-nums;
      line-height: 20px;
    }
    .detail {
      display: block;
      overflow-wrap: anywhere;
    }
    .bad {
      color: var(--mat-sys-error);
    }
    @media (max-width: 599.9px) {
      li {
        grid-template-columns: 1fr;
      }
    }
  `,
})
export class DownloadLog {
  readonly id = input.required<string>();

  private readonly api = inject(Api);
  protected readonly f = inject(Formats);
  protected readonly t = inject(Language).texts;
  protected readonly log = polled(() => {
    const id = this.id();
    return () => this.api.invoke(getDownloadLog, { id });
  }, 3000);

  protected isBad(kind: LogKind): boolean {
    return bad.has(kind);
  }
}
