import { Component, inject } from '@angular/core';
import { MatButton } from '@angular/material/button';
import { RouterLink } from '@angular/router';
import { Language } from '../language/language';
import { Empty } from '../ui/empty';

@Component({
  selector: 'app-not-found',
  imports: [Empty, MatButton, RouterLink],
  template: `
    <app-empty icon="search" level="1" [title]="t().notFound.title">
      {{ t().notFound.text }}
      <a actions matButton="filled" routerLink="/files">
        {{ t().notFound.home }}
      </a>
    </app-empty>
  `,
})
export class NotFound {
  protected readonly t = inject(Language).texts;
}
