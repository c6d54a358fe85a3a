import { Component, computed, inject, signal } from '@angular/core';
import { MatButton } from '@angular/material/button';
import {
  MAT_DIALOG_DATA,
  MatDialogActions,
  MatDialogClose,
  MatDialogContent,
  MatDialogRef,
  MatDialogTitle,
} from '@angular/material/dialog';
import { Language } from '../language/language';
import { Icon } from '../ui/icon';
import { DownloadActions } from './download-actions';
import { readLink } from './links';

@Component({
  selector: 'app-add-download-dialog',
  imports: [
    Icon,
    MatButton,
    MatDialogActions,
    MatDialogClose,
    MatDialogContent,
    MatDialogTitle,
  ],
  template: `
    <h2 mat-dialog-title>{{ t().add.title }}</h2>
    <form (submit)="$event.preventDefault(); addLink()">
      <mat-dialog-content>
        <label class="field">
          <span>{{ t().add.link }}</span>
          <textarea
            rows="3"
            spellcheck="false"
            autocomplete="off"
            aria-describedby="add-hint"
            [attr.aria-invalid]="wrong() ? true : null"
            [value]="text()"
            (input)="text.set($any($event.target).value)"
            (keydown.enter)="$event.preventDefault(); addLink()"
          ></textarea>
          <small id="add-hint" [class.problem]="wrong()">
            {{ wrong() ? t().add.invalid : t().add.hint }}
          </small>
        </label>
        <label class="check">
          <input
            type="checkbox"
            [checked]="sequential()"
            (change)="sequential.set($any($event.target).checked)"
          />
          {{ t().add.sequential }}
        </label>
        <input
          #files
          type="file"
          accept=".torrent,application/x-bittorrent"
          multiple
          hidden
          (change)="addTorrents(files.files)"
        />
      </mat-dialog-content>
      <mat-dialog-actions>
        <button matButton type="button" (click)="files.click()">
          <app-icon name="torrent" />
          {{ t().add.file }}
        </button>
        <span class="space"></span>
        <button matButton type="button" mat-dialog-close>
          {{ t().actions.cancel }}
        </button>
        <button matButton="filled" type="submit" [disabled]="!text().trim()">
          {{ t().add.submit }}
        </button>
      </mat-dialog-actions>
    </form>
  `,
  styles: `
    textarea {
      resize: vertical;
    }
    .check {
      margin-top: 12px;
    }
  `,
})
export class AddDownloadDialog {
  private readonly actions = inject(DownloadActions);
  private readonly dialog = inject<MatDialogRef<unknown>>(MatDialogRef);
  protected readonly t = inject(Language).texts;
  protected readonly text = signal(inject<string>(MAT_DIALOG_DATA));
  protected readonly sequential = signal(false);
  private readonly tried = signal('');
  protected readonly wrong = computed(
    () => this.tried() !== '' && this.tried() === this.text(),
  );

  async addLink(): Promise<void> {
    const link = readLink(this.text());
    if (!link) {
      this.tried.set(this.text());
      return;
    }
    this.dialog.close();
    const sequential = this.sequential();
    await this.actions.add({ ...link, ...(sequential ? { sequential } : {}) });
  }

  async addTorrents(files: FileList | null): Promise<void> {
    this.dialog.close();
    for (const file of files ?? []) {
      await this.actions.addTorrent(file, this.sequential());
    }
  }
}
