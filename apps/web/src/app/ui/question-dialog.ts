import { Component, inject } from '@angular/core';
import { MatButton } from '@angular/material/button';
import {
  MAT_DIALOG_DATA,
  MatDialogActions,
  MatDialogClose,
  MatDialogContent,
  MatDialogTitle,
} from '@angular/material/dialog';
import { Language } from '../language/language';
import type { Question } from '../shell/dialogs';
import { Icon } from './icon';

@Component({
  selector: 'app-question-dialog',
  imports: [
    Icon,
    MatButton,
    MatDialogActions,
    MatDialogClose,
    MatDialogContent,
    MatDialogTitle,
  ],
  template: `
    <h2 mat-dialog-title>{{ question.title }}</h2>
    <mat-dialog-content>
      <p>{{ question.text }}</p>
      @if (question.warning) {
        <p class="warning"><app-icon name="warning" />{{ question.warning }}</p>
      }
    </mat-dialog-content>
    <mat-dialog-actions class="answers">
      @for (answer of question.answers; track answer.value) {
        <button
          matButton="tonal"
          [class.danger]="answer.danger"
          [mat-dialog-close]="answer.value"
        >
          {{ answer.label }}
        </button>
      }
      <button matButton [mat-dialog-close]="undefined">
        {{ t().actions.cancel }}
      </button>
    </mat-dialog-actions>
  `,
  styles: `
    p {
      margin: 0 0 12px;
    }
    .warning {
      display: flex;
      gap: 12px;
      color: var(--mat-sys-error);
    }
    .answers {
      display: grid;
      justify-content: stretch;
      gap: 8px;
      padding: 8px 24px 20px;
    }
    .answers button {
      margin: 0;
    }
  `,
})
export class QuestionDialog {
  protected readonly question = inject<Question>(MAT_DIALOG_DATA);
  protected readonly t = inject(Language).texts;
}
