/** Counts the changes of the catalogue, so that whoever shows it reads it again; and of the connection to the node. */
import { inject, Injectable, signal } from '@angular/core';
import { EventStream } from './event-stream';

@Injectable({ providedIn: 'root' })
export class CatalogueVersion {
  private readonly count = signal(0);

  readonly changes = this.count.asReadonly();

  constructor() {
    inject(EventStream).listen((events) => {
      const changed = events.some(
        ({ type }) => type === 'catalogue' || type === 'snapshot',
      );
      if (changed) this.count.update((count) => count + 1);
    });
  }
}
