import { Component, computed, inject } from '@angular/core';
import { MatButton } from '@angular/material/button';
import {
  MatDialogActions,
  MatDialogClose,
  MatDialogContent,
  MatDialogTitle,
} from '@angular/material/dialog';
import { Language } from '../language/language';
import { destinations } from './shortcuts';

interface Row {
  readonly keys: readonly string[];
  readonly between?: string;
  readonly text: string;
}

@Component({
  selector: 'app-shortcuts-dialog',
  imports: [
    MatButton,
    MatDialogActions,
    MatDialogClose,
    MatDialogContent,
    MatDialogTitle,
  ],
  template: `
    <h2 mat-dialog-title>{{ t().shortcuts.title }}</h2>
    <mat-dialog-content>
      @for (group of groups(); track group.title) {
        <h3>{{ group.title }}</h3>
        <dl>
          @for (row of group.rows; track row.text) {
            <div>
              <dt>{{ row.text }}</dt>
              <dd>
                @for (key of row.keys; track $index) {
                  @if ($index > 0) {
                    <span>{{ row.between }}</span>
                  }
                  <kbd>{{ key }}</kbd>
                }
              </dd>
            </div>
          }
        </dl>
      }
    </mat-dialog-content>
    <mat-dialog-actions align="end">
      <button matButton mat-dialog-close>{{ t().actions.close }}</button>
    </mat-dialog-actions>
  `,
  styles: `
    h3 {
      margin: 16px 0 4px;
      font: var(--mat-sys-title-small);
      color: var(--mat-sys-primary);
    }
    dl {
      margin: 0;
      color: var(--mat-sys-on-surface);
    }
    dl > div {
      display: flex;
      align-items: center;
      justify-content: space-between;
      gap: 16px;
      min-height: 36px;
      border-bottom: 1px solid var(--mat-sys-outline-variant);
    }
    dd {
      display: flex;
      align-items: center;
      gap: 6px;
      margin: 0;
      font: var(--mat-sys-body-small);
    }
  `,
})
export class ShortcutsDialog {
  protected readonly t = inject(Language).texts;

  protected readonly groups = computed(() => {
    const { shortcuts: s, nav } = this.t();
    const pages: Row[] = Object.entries(destinations).map(([key, page]) => ({
      keys: ['g', key],
      between: s.then,
      text: s.go(nav[page]),
    }));
    const everywhere: Row[] = [
      { keys: ['?'], text: s.help },
      { keys: ['/'], text: s.search },
      { keys: ['n'], text: s.add },
      ...pages,
    ];
    const lists: Row[] = [
      { keys: ['↑', '↓', '←', '→'], text: s.move },
      { keys: ['Enter'], text: s.open },
      { keys: ['Space'], text: s.select },
      { keys: ['Shift', '↑ ↓'], between: '+', text: s.extend },
      { keys: ['Ctrl', 'A'], between: '+', text: s.all },
      { keys: ['Shift', 'F10'], between: '+', text: s.menu },
      { keys: ['p'], text: s.toggle },
      { keys: ['Del'], text: s.remove },
      { keys: ['Esc'], text: s.escape },
    ];
    return [
      { title: s.everywhere, rows: everywhere },
      { title: s.lists, rows: lists },
    ];
  });
}
