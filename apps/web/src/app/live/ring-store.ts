/** The node's view of the ring: asked once, then kept by events. */
import { computed, inject, Injectable, signal } from '@angular/core';
import { Api, getRing, type RingDto } from '@dnd/api-client';
import { EventStream } from './event-stream';

@Injectable({ providedIn: 'root' })
export class RingStore {
  private readonly api = inject(Api);
  private readonly view = signal<RingDto | undefined>(undefined);
  private readonly trouble = signal<unknown>(undefined);

  readonly ring = this.view.asReadonly();
  readonly error = this.trouble.asReadonly();
  readonly alive = computed(
    () => this.view()?.nodes.filter(({ state }) => state === 'alive').length,
  );

  constructor() {
    inject(EventStream).listen((events) => {
      const last = events.findLast(({ type }) => type === 'ring');
      if (last?.type === 'ring') this.view.set(last.data);
      if (events.some(({ type }) => type === 'snapshot')) void this.load();
    });
  }

  async load(): Promise<void> {
    try {
      this.view.set(await this.api.invoke(getRing));
      this.trouble.set(undefined);
    } catch (error) {
      this.trouble.set(error);
    }
  }
}
