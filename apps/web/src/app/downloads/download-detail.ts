import { Component, computed, inject, input } from '@angular/core';
import { MatButton } from '@angular/material/button';
import { MatProgressBar } from '@angular/material/progress-bar';
import { MatTab, MatTabContent, MatTabGroup } from '@angular/material/tabs';
import { Router } from '@angular/router';
import { FileActions } from '../files/file-actions';
import { Language } from '../language/language';
import { DownloadStore } from '../live/download-store';
import { DetailPanel } from '../ui/detail-panel';
import { Empty } from '../ui/empty';
import { Icon } from '../ui/icon';
import { DownloadActions } from './download-actions';
import { DownloadFiles } from './download-files';
import { DownloadLog } from './download-log';
import { DownloadOverview } from './download-overview';
import { DownloadPeers } from './download-peers';
import { DownloadPieces } from './download-pieces';
import { DownloadSources } from './download-sources';
import { can } from './download-words';
import { RemoveDownloads } from './remove-downloads';

@Component({
  selector: 'app-download-detail',
  imports: [
    DetailPanel,
    DownloadFiles,
    DownloadLog,
    DownloadOverview,
    DownloadPeers,
    DownloadPieces,
    DownloadSources,
    Empty,
    Icon,
    MatButton,
    MatProgressBar,
    MatTab,
    MatTabContent,
    MatTabGroup,
  ],
  host: { style: 'display: contents' },
  template: `
    <app-detail-panel
      [title]="download()?.name || t().downloads.title"
      (closed)="close()"
    >
      @if (download(); as d) {
        <div class="buttons">
          @if (d.size > 0) {
            <button
              matButton="filled"
              (click)="files.openFile(d.id, undefined)"
            >
              <app-icon name="eye" />{{ t().actions.open }}
            </button>
          }
          @if (can('pause', d)) {
            <button matButton="tonal" (click)="actions.pause([d.id])">
              <app-icon name="pause" />{{ t().downloads.pause }}
            </button>
          }
          @if (can('resume', d)) {
            <button matButton="tonal" (click)="actions.resume([d.id])">
              <app-icon name="play" />{{
                d.state === 'completed'
                  ? t().downloads.seedAgain
                  : t().downloads.resume
              }}
            </button>
          }
          @if (can('retry', d)) {
            <button matButton="tonal" (click)="actions.retry([d.id])">
              <app-icon name="retry" />{{ t().downloads.retry }}
            </button>
          }
          @if (can('cancel', d)) {
            <button matButton (click)="actions.cancel([d.id]); close()">
              <app-icon name="cancel" />{{ t().downloads.cancel }}
            </button>
          }
          @if (can('recheck', d)) {
            <button matButton (click)="actions.recheck([d.id])">
              <app-icon name="recheck" />{{ t().downloads.recheck }}
            </button>
          }
          <button matButton class="danger" (click)="remove(d.id)">
            <app-icon name="trash" />{{ t().downloads.remove }}
          </button>
        </div>
        <mat-tab-group animationDuration="0" mat-stretch-tabs="false">
          <mat-tab [label]="t().detail.overview">
            <ng-template matTabContent>
              <app-download-overview [download]="d" />
            </ng-template>
          </mat-tab>
          <mat-tab [label]="t().detail.files">
            <ng-template matTabContent>
              <app-download-files [id]="d.id" />
            </ng-template>
          </mat-tab>
          <mat-tab [label]="t().detail.pieces">
            <ng-template matTabContent>
              <app-download-pieces [id]="d.id" />
            </ng-template>
          </mat-tab>
          <mat-tab [label]="t().detail.peers">
            <ng-template matTabContent>
              <app-download-peers [id]="d.id" />
            </ng-template>
          </mat-tab>
          <mat-tab [label]="t().detail.sources">
            <ng-template matTabContent>
              <app-download-sources [id]="d.id" />
            </ng-template>
          </mat-tab>
          <mat-tab [label]="t().detail.log">
            <ng-template matTabContent>
              <app-download-log [id]="d.id" />
            </ng-template>
          </mat-tab>
        </mat-tab-group>
      } @else if (store.ready()) {
        <app-empty icon="search" [title]="t().detail.gone">
          {{ t().detail.goneText }}
        </app-empty>
      } @else {
        <mat-progress-bar
          mode="indeterminate"
          [attr.aria-label]="t().errors.loading"
        />
      }
    </app-detail-panel>
  `,
  styles: `
    mat-tab-group {
      width: calc(100% + 40px);
      max-width: none;
      margin: 12px -20px 0;
      --mat-tab-container-height: 44px;
    }
  `,
})
export class DownloadDetail {
  /** From the route. */
  readonly id = input.required<string>();

  private readonly router = inject(Router);
  private readonly remover = inject(RemoveDownloads);
  protected readonly store = inject(DownloadStore);
  protected readonly actions = inject(DownloadActions);
  protected readonly files = inject(FileActions);
  protected readonly t = inject(Language).texts;
  protected readonly can = can;
  protected readonly download = computed(() => this.store.find(this.id()));

  protected async remove(id: string): Promise<void> {
    if (await this.remover.ask([id])) this.close();
  }

  protected close(): void {
    void this.router.navigate(['/downloads']);
  }
}
