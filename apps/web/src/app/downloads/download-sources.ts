import { Component, inject, input } from '@angular/core';
import { Api, getDownloadTrackers } from '@dnd/api-client';
import { Formats } from '../language/formats';
import { Language } from '../language/language';
import { polled } from '../live/polled';
import { Clock } from '../ui/clock';

@Component({
  selector: 'app-download-sources',
  template: `
    <ul>
      @for (source of sources.value()?.items; track source.kind + source.url) {
        <li>
          <span class="dot" [class]="source.state"></span>
          <div>
            <strong>
              {{ t().detail.sourceKinds[source.kind] ?? source.kind }}
            </strong>
            <span class="url">{{ source.url }}</span>
            <small>
              {{ t().detail.sourceStates[source.state] ?? source.state }}
              @if (source.message) {
                · {{ source.message }}
              }
              @if (source.lastAt) {
                · {{ f.ago(source.lastAt, clock.soon()) }}
              }
              @if (source.nextAt) {
                · {{ t().detail.nextAt(f.ago(source.nextAt, clock.soon())) }}
              }
            </small>
          </div>
          <span class="count">{{ t().count.peers(source.peers) }}</span>
        </li>
      }
    </ul>
  `,
  styles: `
    ul {
      margin: 0;
      padding: 4px 20px 16px;
      list-style: none;
    }
    li {
      display: flex;
      gap: 12px;
      padding: 12px 0;
      border-bottom: 1px solid var(--mat-sys-outline-variant);
    }
    li > div {
      display: grid;
      flex: 1;
      min-width: 0;
    }
    .dot {
      flex: none;
      width: 10px;
      height: 10px;
      margin-top: 5px;
      border-radius: 50%;
      background: var(--mat-sys-outline);
    }
    .ok {
      background: var(--app-good);
    }
    .working {
      background: var(--app-bar);
    }
    .error {
      background: var(--mat-sys-error);
    }
    strong {
      font-weight: 500;
    }
    .url {
      overflow-wrap: anywhere;
    }
    small,
    .count {
      color: var(--mat-sys-on-surface-variant);
    }
  `,
})
export class DownloadSources {
  readonly id = input.required<string>();

  private readonly api = inject(Api);
  protected readonly clock = inject(Clock);
  protected readonly f = inject(Formats);
  protected readonly t = inject(Language).texts;
  protected readonly sources = polled(() => {
    const id = this.id();
    return () => this.api.invoke(getDownloadTrackers, { id });
  }, 3000);
}
