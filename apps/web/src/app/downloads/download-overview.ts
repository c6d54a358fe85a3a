import { Component, computed, effect, inject, input } from '@angular/core';
import { MatIconButton } from '@angular/material/button';
import {
  Api,
  updateDownload,
  type DownloadDto,
  type UpdateDownloadDto,
} from '@dnd/api-client';
import { Formats } from '../language/formats';
import { Language } from '../language/language';
import { DownloadStore } from '../live/download-store';
import { LimitField } from '../settings/limit-field';
import { Notices } from '../shell/notices';
import { Clipboard } from '../ui/clipboard';
import { Icon } from '../ui/icon';
import { progressOf, ratioOf, reasonOf, toneOf } from './download-words';
import { RateHistory } from './rate-history';
import { SpeedGraph } from './speed-graph';

@Component({
  selector: 'app-download-overview',
  imports: [Icon, LimitField, MatIconButton, SpeedGraph],
  template: `
    @let d = download();
    <p class="state" [class]="tone()">
      <strong>{{ t().states[d.state] }}</strong>
      @if (reason()) {
        <span>{{ reason() }}</span>
      }
    </p>
    <span
      class="bar"
      role="progressbar"
      aria-valuemin="0"
      aria-valuemax="100"
      [class]="tone()"
      [attr.aria-valuenow]="percent()"
      [attr.aria-label]="t().downloads.progressOf(d.name)"
    >
      <span [style.transform]="'scaleX(' + part() + ')'"></span>
    </span>
    <p class="figures">
      <span>
        {{ t().downloads.of(f.bytes(d.completedBytes), f.bytes(d.size)) }}
      </span>
      <span>
        {{ f.percent(part()) }}
        @if (d.eta !== undefined && d.state === 'downloading') {
          · {{ t().downloads.left(f.duration(d.eta)) }}
        }
      </span>
    </p>

    <app-speed-graph [rates]="history.of(d.id)" />

    <dl class="facts">
      <dt>{{ t().detail.peers }}</dt>
      <dd>{{ t().detail.connected(f.number(d.peers), f.number(d.seeds)) }}</dd>
      <dt>{{ t().detail.uploaded }}</dt>
      <dd>
        {{ f.bytes(d.uploadedBytes) }} · {{ t().detail.ratio }}
        {{ f.ratio(ratio()) }}
      </dd>
      <dt>{{ t().detail.added }}</dt>
      <dd>{{ f.date(d.addedAt) }}</dd>
      @if (d.completedAt) {
        <dt>{{ t().detail.completed }}</dt>
        <dd>{{ f.date(d.completedAt) }}</dd>
      }
      <dt>{{ t().detail.infoHash }}</dt>
      <dd class="hash">
        {{ d.infoHash }}
        <button
          matIconButton
          class="small"
          [attr.aria-label]="t().actions.copy"
          (click)="clipboard.copy(d.infoHash)"
        >
          <app-icon name="copy" />
        </button>
      </dd>
    </dl>

    <h3>{{ t().detail.limits }}</h3>
    <div class="limits">
      <app-limit-field
        [label]="t().detail.downLimit"
        [value]="d.downloadLimit"
        (changed)="update({ downloadLimit: $event })"
      />
      <app-limit-field
        [label]="t().detail.upLimit"
        [value]="d.uploadLimit"
        (changed)="update({ uploadLimit: $event })"
      />
      <label class="check">
        <input
          type="checkbox"
          [checked]="d.sequential"
          (change)="update({ sequential: $any($event.target).checked })"
        />
        {{ t().detail.sequential }}
      </label>
    </div>
  `,
  styles: `
    :host {
      display: block;
      padding: 16px 20px;
    }
    .state {
      display: flex;
      flex-wrap: wrap;
      gap: 4px 12px;
      margin: 0 0 8px;
    }
    .state span {
      color: var(--mat-sys-on-surface-variant);
    }
    .good strong {
      color: var(--app-good);
    }
    .bad strong {
      color: var(--mat-sys-error);
    }
    .bar {
      height: 8px;
      border-radius: 4px;
    }
    .figures {
      display: flex;
      justify-content: space-between;
      margin: 6px 0 20px;
      font-variant-numeric: tabular-nums;
    }
    h3 {
      margin: 24px 0 8px;
      font: var(--mat-sys-title-medium);
    }
    .limits {
      display: grid;
      gap: 12px;
    }
  `,
})
export class DownloadOverview {
  readonly download = input.required<DownloadDto>();

  private readonly api = inject(Api);
  private readonly notices = inject(Notices);
  private readonly store = inject(DownloadStore);
  protected readonly clipboard = inject(Clipboard);
  protected readonly history = inject(RateHistory);
  protected readonly f = inject(Formats);
  protected readonly t = inject(Language).texts;

  protected readonly part = computed(() => progressOf(this.download()));
  protected readonly percent = computed(() => Math.floor(this.part() * 100));
  protected readonly ratio = computed(() => ratioOf(this.download()));
  protected readonly tone = computed(() => toneOf(this.download().state));
  protected readonly reason = computed(() =>
    reasonOf(this.download(), this.t()),
  );

  constructor() {
    effect(() => this.history.watch(this.download().id));
  }

  protected async update(change: UpdateDownloadDto): Promise<void> {
    const { id } = this.download();
    try {
      this.store.put(
        await this.api.invoke(updateDownload, { id, body: change }),
      );
      this.notices.say(this.t().settings.saved);
    } catch (error) {
      this.notices.fail(error);
    }
  }
}
