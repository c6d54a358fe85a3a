import { Component, inject, input } from '@angular/core';
import { Api, getDownloadPeers } from '@dnd/api-client';
import { Formats } from '../language/formats';
import { Language } from '../language/language';
import { polled } from '../live/polled';
import { Icon } from '../ui/icon';

/** Peers shown at once; there are seldom more. */
const most = 200;

@Component({
  selector: 'app-download-peers',
  imports: [Icon],
  template: `
    @if (peers.value(); as list) {
      <ul>
        @for (peer of list.items.slice(0, most); track peer.address) {
          <li>
            <div class="who">
              <strong>{{ peer.address }}</strong>
              <span>{{ peer.client }}</span>
            </div>
            <div class="rates">
              <span [class.zero]="!peer.downloadRate">
                <app-icon name="down" />{{ f.rate(peer.downloadRate) }}
              </span>
              <span [class.zero]="!peer.uploadRate">
                <app-icon name="up" />{{ f.rate(peer.uploadRate) }}
              </span>
            </div>
            <span class="bar" aria-hidden="true">
              <span [style.transform]="'scaleX(' + peer.progress + ')'"></span>
            </span>
            <small>
              {{ f.percent(peer.progress) }} · {{ peer.transport }} ·
              {{ peer.incoming ? t().detail.incoming : t().detail.outgoing }}
              @if (peer.encrypted) {
                · {{ t().detail.encrypted }}
              }
              @if (peer.unchoked) {
                · {{ t().detail.uploadsToUs }}
              }
              @if (!peer.choked && peer.interested) {
                · {{ t().detail.weUpload }}
              }
              · {{ t().detail.sourceKinds[peer.source] ?? peer.source }}
            </small>
          </li>
        } @empty {
          <li class="none">
            <strong>{{ t().detail.noPeers }}</strong>
            <span>{{ t().detail.noPeersText }}</span>
          </li>
        }
      </ul>
    }
  `,
  styles: `
    ul {
      margin: 0;
      padding: 4px 20px 16px;
      list-style: none;
    }
    li {
      display: grid;
      grid-template-columns: minmax(0, 1fr) auto;
      gap: 4px 12px;
      padding: 12px 0;
      border-bottom: 1px solid var(--mat-sys-outline-variant);
    }
    .who {
      display: grid;
    }
    .who span {
      overflow: hidden;
      color: var(--mat-sys-on-surface-variant);
      text-overflow: ellipsis;
      white-space: nowrap;
    }
    strong {
      font-weight: 500;
      overflow-wrap: anywhere;
    }
    .rates {
      --icon-size: 14px;
      display: grid;
      justify-items: end;
      font-variant-numeric: tabular-nums;
    }
    .rates span {
      display: inline-flex;
      align-items: center;
      gap: 2px;
    }
    .zero {
      color: var(--mat-sys-on-surface-variant);
    }
    .bar,
    small {
      grid-column: 1 / -1;
    }
    .bar {
      height: 4px;
    }
    small,
    .none span {
      color: var(--mat-sys-on-surface-variant);
    }
    .none {
      grid-template-columns: 1fr;
      border: 0;
    }
  `,
})
export class DownloadPeers {
  readonly id = input.required<string>();

  private readonly api = inject(Api);
  protected readonly f = inject(Formats);
  protected readonly t = inject(Language).texts;
  protected readonly most = most;
  protected readonly peers = polled(() => {
    const id = this.id();
    return () => this.api.invoke(getDownloadPeers, { id });
  }, 1500);
}
