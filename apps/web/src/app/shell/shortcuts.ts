/** Keyboard shortcuts of the whole page. Off while something is typed or a dialog is open. */
import { DOCUMENT, inject, Injectable } from '@angular/core';
import { Router } from '@angular/router';
import { Dialogs } from './dialogs';

export const destinations = {
  f: 'files',
  d: 'downloads',
  l: 'library',
  p: 'publish',
  r: 'ring',
  s: 'settings',
} as const;

/** After `g`, the letter of a page counts for this long, ms. */
const chordTime = 1500;

@Injectable({ providedIn: 'root' })
export class Shortcuts {
  private readonly document = inject(DOCUMENT);
  private readonly router = inject(Router);
  private readonly dialogs = inject(Dialogs);
  private goSince = -Infinity;

  watch(): void {
    this.document.addEventListener('keydown', (event) => this.onKey(event));
  }

  private onKey(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey) return;
    if (event.altKey || this.isTyping(event) || this.dialogs.isOpen()) return;
    if (this.act(event)) event.preventDefault();
  }

  private act(event: KeyboardEvent): boolean {
    const { key, timeStamp } = event;
    const going = timeStamp - this.goSince < chordTime;
    this.goSince = -Infinity;
    if (going && Object.hasOwn(destinations, key)) {
      const page = destinations[key as keyof typeof destinations];
      void this.router.navigate(['/', page]);
      return true;
    }
    switch (key) {
      case 'g':
        this.goSince = timeStamp;
        return true;
      case '?':
        void this.dialogs.shortcuts();
        return true;
      case 'n':
        void this.dialogs.addDownload();
        return true;
      case '/':
        return this.focusSearch();
      default:
        return false;
    }
  }

  private focusSearch(): boolean {
    const search = this.document.querySelector<HTMLElement>(
      'main input[type=search]',
    );
    search?.focus();
    return search !== null;
  }

  private isTyping(event: KeyboardEvent): boolean {
    const { target } = event;
    return (
      target instanceof Element &&
      target.closest(
        'input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable], [role=menu]',
      ) !== null
    );
  }
}
