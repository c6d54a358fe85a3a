/** Material's dialogs, kept out of the first load. */
import { inject, Injectable, Injector, type Type } from '@angular/core';
import type { MatDialogConfig } from '@angular/material/dialog';
import { firstValueFrom } from 'rxjs';

@Injectable({ providedIn: 'root' })
export class LazyDialog {
  private readonly injector = inject(Injector);

  /** Resolves with what the dialog was closed with. */
  async show<R>(
    component: Type<unknown>,
    config: MatDialogConfig,
  ): Promise<R | undefined> {
    const { MatDialog } = await import('@angular/material/dialog');
    const dialog = this.injector
      .get(MatDialog)
      .open<unknown, unknown, R>(component, {
        maxWidth: 'calc(100vw - 32px)',
        autoFocus: 'first-tabbable',
        ...config,
      });
    return firstValueFrom(dialog.afterClosed());
  }
}
