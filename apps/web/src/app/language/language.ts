/** The language of the page: chosen here, else the browser's; switched while the page runs. */
import { computed, DOCUMENT, inject, Injectable, signal } from '@angular/core';
import { Preferences } from '../shell/preferences';
import { en, type Texts } from './en';

export const languages = { en: 'English', es: 'Español' } as const;
export type LanguageCode = keyof typeof languages;

/** English is always here; other dictionaries are fetched when they are asked for. */
const dictionaries: Record<LanguageCode, () => Promise<Texts>> = {
  en: () => Promise.resolve(en),
  es: () => import('./es').then((m) => m.es),
};

const isLanguage = (code: string): code is LanguageCode =>
  Object.hasOwn(languages, code);

@Injectable({ providedIn: 'root' })
export class Language {
  private readonly preferences = inject(Preferences);
  private readonly document = inject(DOCUMENT);
  private readonly current = signal<{ code: LanguageCode; texts: Texts }>({
    code: 'en',
    texts: en,
  });

  readonly code = computed(() => this.current().code);
  /** The language with the region that the browser names for it: how numbers and dates are written. */
  readonly locale = computed(() => {
    const code = this.code();
    const own = this.document.defaultView?.navigator.languages ?? [];
    return own.find((tag) => tag.toLowerCase().startsWith(`${code}-`)) ?? code;
  });
  readonly texts = computed(() => this.current().texts);

  /** Takes the language of last time, or the first one of the browser's that is here. */
  start(): Promise<void> {
    const wanted = [
      this.preferences.read('language') ?? '',
      ...(this.document.defaultView?.navigator.languages ?? []),
    ].map((tag) => tag.slice(0, 2).toLowerCase());
    return this.show(wanted.find(isLanguage) ?? 'en');
  }

  use(code: LanguageCode): Promise<void> {
    this.preferences.write('language', code);
    return this.show(code);
  }

  private async show(code: LanguageCode): Promise<void> {
    const texts = await dictionaries[code]();
    this.current.set({ code, texts });
    this.document.documentElement.lang = code;
  }
}
