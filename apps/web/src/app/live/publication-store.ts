/** What this node is publishing, live, in the order it was told; bounded. */
import { computed, inject, Injectable, signal } from '@angular/core';
import type { PublicationDto, ServerEvent } from '@dnd/api-client';
import { EventStream } from './event-stream';

const kept = 500;

@Injectable({ providedIn: 'root' })
export class PublicationStore {
  private readonly byId = signal<ReadonlyMap<string, PublicationDto>>(
    new Map(),
  );

  readonly all = computed(() => [...this.byId().values()]);

  constructor() {
    inject(EventStream).listen((events) => this.apply(events));
  }

  find(id: string): PublicationDto | undefined {
    return this.byId().get(id);
  }

  put(publication: PublicationDto): void {
    this.apply([{ type: 'publication', data: publication }]);
  }

  apply(events: readonly ServerEvent[]): void {
    let map: Map<string, PublicationDto> | undefined;
    for (const event of events) {
      if (event.type === 'snapshot') {
        map = new Map(event.data.publications.map((item) => [item.id, item]));
      } else if (event.type === 'publication') {
        map ??= new Map(this.byId());
        map.set(event.data.id, event.data);
        if (map.size > kept) map.delete(map.keys().next().value as string);
      } else if (event.type === 'publication-removed') {
        map ??= new Map(this.byId());
        map.delete(event.data.id);
      }
    }
    if (map) this.byId.set(map);
  }
}
