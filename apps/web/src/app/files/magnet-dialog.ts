import { Component, computed, inject } from '@angular/core';
import { MatButton } from '@angular/material/button';
import {
  MAT_DIALOG_DATA,
  MatDialogActions,
  MatDialogClose,
  MatDialogContent,
  MatDialogTitle,
} from '@angular/material/dialog';
import qrcode from 'qrcode-generator';
import { Language } from '../language/language';
import { Clipboard } from '../ui/clipboard';

/** Modules of white around a QR code, as its standard asks. */
const quiet = 4;

@Component({
  selector: 'app-magnet-dialog',
  imports: [
    MatButton,
    MatDialogActions,
    MatDialogClose,
    MatDialogContent,
    MatDialogTitle,
  ],
  template: `
    <h2 mat-dialog-title>{{ t().files.qrTitle }}</h2>
    <mat-dialog-content>
      @if (code(); as qr) {
        <svg
          role="img"
          shape-rendering="crispEdges"
          [attr.viewBox]="'0 0 ' + qr.size + ' ' + qr.size"
          [attr.aria-label]="t().files.qrTitle"
        >
          <rect width="100%" height="100%" fill="#fff" />
          <path fill="#000" [attr.d]="qr.path" />
        </svg>
        <p>{{ t().files.qrText }}</p>
      } @else {
        <p>{{ t().files.qrTooLong }}</p>
      }
      <code>{{ magnet }}</code>
    </mat-dialog-content>
    <mat-dialog-actions align="end">
      <button matButton mat-dialog-close>{{ t().actions.close }}</button>
      <button matButton="filled" (click)="copy()">
        {{ t().actions.copy }}
      </button>
    </mat-dialog-actions>
  `,
  styles: `
    svg {
      display: block;
      width: min(100%, 280px);
      margin: 0 auto 12px;
      border-radius: 12px;
    }
    p {
      margin: 0 0 12px;
      text-align: center;
    }
    code {
      display: block;
      max-height: 84px;
      overflow: auto;
      font-size: 12px;
      overflow-wrap: anywhere;
      color: var(--mat-sys-on-surface-variant);
    }
  `,
})
export class MagnetDialog {
  private readonly clipboard = inject(Clipboard);
  protected readonly magnet = inject<string>(MAT_DIALOG_DATA);
  protected readonly t = inject(Language).texts;

  protected readonly code = computed(() => {
    const qr = qrcode(0, 'L');
    try {
      qr.addData(this.magnet, 'Byte');
      qr.make();
    } catch {
      return undefined;
    }
    const count = qr.getModuleCount();
    let path = '';
    for (let row = 0; row < count; row++) {
      for (let column = 0; column < count; column++) {
        if (qr.isDark(row, column)) {
          path += `M${column + quiet} ${row + quiet}h1v1h-1z`;
        }
      }
    }
    return { path, size: count + 2 * quiet };
  });

  copy(): void {
    void this.clipboard.copy(this.magnet, this.t().files.magnetCopied);
  }
}
