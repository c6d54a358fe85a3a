/** Light, dark, high contrast, or as the system says; kept in this browser. */
import { DOCUMENT, effect, inject, Injectable, signal } from '@angular/core';
import { Preferences } from './preferences';

export const themes = ['auto', 'light', 'dark', 'contrast'] as const;
export type ThemeName = (typeof themes)[number];

const isTheme = (name: string | undefined): name is ThemeName =>
  (themes as readonly (string | undefined)[]).includes(name);

@Injectable({ providedIn: 'root' })
export class Theme {
  private readonly preferences = inject(Preferences);
  private readonly root = inject(DOCUMENT).documentElement;
  private readonly name = signal<ThemeName>('auto');

  readonly current = this.name.asReadonly();

  constructor() {
    const stored = this.preferences.read('theme');
    if (isTheme(stored)) this.name.set(stored);
    effect(() => this.root.setAttribute('data-theme', this.name()));
  }

  use(name: ThemeName): void {
    this.name.set(name);
    this.preferences.write('theme', name);
  }
}
