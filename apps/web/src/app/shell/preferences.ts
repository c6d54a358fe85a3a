/** What this browser remembers for its user. Where storage is forbidden, nothing is remembered. */
import { DOCUMENT, inject, Injectable } from '@angular/core';

export type PreferenceName =
  | 'language'
  | 'theme'
  | 'notify'
  | 'visited'
  | 'downloads.sort'
  | 'files.sort'
  | 'library.sort';

@Injectable({ providedIn: 'root' })
export class Preferences {
  private readonly window = inject(DOCUMENT).defaultView;

  read(name: PreferenceName): string | undefined {
    try {
      return this.window?.localStorage.getItem(`dnd.${name}`) ?? undefined;
    } catch {
      return undefined;
    }
  }

  write(name: PreferenceName, value: string): void {
    try {
      this.window?.localStorage.setItem(`dnd.${name}`, value);
    } catch {
      // A browser that stores nothing still shows everything.
    }
  }
}
