/** Where the browser brings a magnet link that was clicked elsewhere: it opens the dialog with it. */
import { afterNextRender, Component, inject, input } from '@angular/core';
import { Router } from '@angular/router';
import { Dialogs } from '../shell/dialogs';

@Component({ selector: 'app-add-link', template: '' })
export class AddLink {
  /** From the query. */
  readonly link = input<string>();

  constructor() {
    const router = inject(Router);
    const dialogs = inject(Dialogs);
    afterNextRender(() => {
      const link = this.link();
      void router
        .navigate(['/downloads'], { replaceUrl: true })
        .then(() => dialogs.addDownload(link));
    });
  }
}
