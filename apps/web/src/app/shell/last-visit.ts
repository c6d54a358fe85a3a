/** When this browser last looked at the page before now. */
import { DOCUMENT, inject, Injectable } from '@angular/core';
import { Preferences } from './preferences';

@Injectable({ providedIn: 'root' })
export class LastVisit {
  /** ISO time; the present where there was no visit yet, so that nothing counts as new. */
  readonly at: string;

  constructor() {
    const document = inject(DOCUMENT);
    const preferences = inject(Preferences);
    this.at = preferences.read('visited') ?? new Date().toISOString();
    const leave = (): void => {
      if (document.hidden) {
        preferences.write('visited', new Date().toISOString());
      }
    };
    document.addEventListener('visibilitychange', leave);
  }
}
