/** Opens the dialogs of the page; each one's code is fetched when it is opened first. */
import { inject, Injectable, signal } from '@angular/core';
import type { Type } from '@angular/core';
import type { MatDialogConfig } from '@angular/material/dialog';
import { LazyDialog } from './lazy-dialog';

export interface Question {
  readonly title: string;
  readonly text: string;
  /** A warning shown apart. */
  readonly warning?: string;
  /** The answers beside Cancel, the mildest first. */
  readonly answers: readonly {
    readonly value: string;
    readonly label: string;
    readonly danger?: boolean;
  }[];
}

@Injectable({ providedIn: 'root' })
export class Dialogs {
  private readonly lazy = inject(LazyDialog);
  private readonly open = signal(0);

  isOpen(): boolean {
    return this.open() > 0;
  }

  /** The value of the chosen answer; undefined when the question was dismissed. */
  ask(question: Question): Promise<string | undefined> {
    return this.show(
      () => import('../ui/question-dialog').then((m) => m.QuestionDialog),
      { data: question, width: '440px' },
    );
  }

  shortcuts(): Promise<unknown> {
    return this.show(
      () => import('./shortcuts-dialog').then((m) => m.ShortcutsDialog),
      { width: '560px' },
    );
  }

  addDownload(link = ''): Promise<unknown> {
    return this.show(
      () =>
        import('../downloads/add-download-dialog').then(
          (m) => m.AddDownloadDialog,
        ),
      { data: link, width: '520px' },
    );
  }

  magnet(magnet: string): Promise<unknown> {
    return this.show(
      () => import('../files/magnet-dialog').then((m) => m.MagnetDialog),
      { data: magnet, width: '400px' },
    );
  }

  private async show<R>(
    component: () => Promise<Type<unknown>>,
    config: MatDialogConfig,
  ): Promise<R | undefined> {
    this.open.update((count) => count + 1);
    try {
      return await this.lazy.show<R>(await component(), config);
    } finally {
      this.open.update((count) => count - 1);
    }
  }
}
