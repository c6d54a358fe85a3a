import { Component, inject, input } from '@angular/core';
import { Api, getDownloadFiles, updateDownload } from '@dnd/api-client';
import { FileActions } from '../files/file-actions';
import { Language } from '../language/language';
import { polled } from '../live/polled';
import { Notices } from '../shell/notices';
import { FileTree, type PriorityChange } from '../ui/file-tree';

@Component({
  selector: 'app-download-files',
  imports: [FileTree],
  template: `
    @if (files.value(); as list) {
      @if (list.total > 0) {
        <app-file-tree
          mode="manage"
          openable
          [files]="list.items"
          (opened)="actions.openFile(id(), $event)"
          (prioritised)="prioritise($event)"
        />
      } @else {
        <p>{{ t().detail.noFiles }}</p>
      }
    }
  `,
  styles: `
    :host {
      display: block;
      padding: 8px 12px 16px;
    }
    p {
      margin: 16px 8px;
      color: var(--mat-sys-on-surface-variant);
    }
  `,
})
export class DownloadFiles {
  readonly id = input.required<string>();

  private readonly api = inject(Api);
  private readonly notices = inject(Notices);
  protected readonly actions = inject(FileActions);
  protected readonly t = inject(Language).texts;
  protected readonly files = polled(() => {
    const id = this.id();
    return () => this.api.invoke(getDownloadFiles, { id });
  }, 2000);

  protected async prioritise(change: PriorityChange): Promise<void> {
    const files = change.files.map((index) => ({
      index,
      priority: change.priority,
    }));
    try {
      await this.api.invoke(updateDownload, { id: this.id(), body: { files } });
    } catch (error) {
      this.notices.fail(error);
    }
    await this.files.ask();
  }
}
