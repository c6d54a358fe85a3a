/** The browser's title of the page shown, in the chosen language. A route names its page in `data.page`. */
import { effect, inject, Injectable, signal } from '@angular/core';
import { Title } from '@angular/platform-browser';
import { TitleStrategy, type RouterStateSnapshot } from '@angular/router';
import { Language } from '../language/language';
import type { Texts } from '../language/en';

export type PageName = keyof Texts['nav'];

@Injectable({ providedIn: 'root' })
export class PageTitle extends TitleStrategy {
  private readonly title = inject(Title);
  private readonly t = inject(Language).texts;
  private readonly page = signal<PageName | undefined>(undefined);

  constructor() {
    super();
    effect(() => {
      const { nav, title } = this.t();
      const page = this.page();
      this.title.setTitle(page ? `${nav[page]} – ${title}` : title);
    });
  }

  override updateTitle(state: RouterStateSnapshot): void {
    let route = state.root;
    while (route.firstChild) route = route.firstChild;
    this.page.set(route.data['page'] as PageName | undefined);
  }
}
