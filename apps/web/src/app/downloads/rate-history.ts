/** The rates of downloads over the last two minutes, one sample a second, for their graphs. */
import { DestroyRef, inject, Injectable, signal } from '@angular/core';
import { DownloadStore } from '../live/download-store';

export const samples = 120;
/** Downloads whose rates are kept; only those that move count. */
const maxTracked = 200;

export interface Rates {
  readonly down: readonly number[];
  readonly up: readonly number[];
}

@Injectable({ providedIn: 'root' })
export class RateHistory {
  private readonly store = inject(DownloadStore);
  private readonly byId = new Map<string, { down: number[]; up: number[] }>();
  private readonly ticks = signal(0);

  constructor() {
    const timer = setInterval(() => this.sample(), 1000);
    inject(DestroyRef).onDestroy(() => clearInterval(timer));
  }

  /** Oldest first; fewer than `samples` at the beginning. */
  of(id: string): Rates {
    this.ticks();
    const { down = [], up = [] } = this.byId.get(id) ?? {};
    return { down: [...down], up: [...up] };
  }

  /** Keeps the history of one that does not move yet. */
  watch(id: string): void {
    if (!this.byId.has(id)) this.byId.set(id, { down: [], up: [] });
  }

  private sample(): void {
    for (const { download } of this.store.values()) {
      const { id, downloadRate, uploadRate } = download;
      const moves = downloadRate > 0 || uploadRate > 0;
      if (!this.byId.has(id) && (!moves || this.byId.size >= maxTracked)) {
        continue;
      }
      this.watch(id);
      const history = this.byId.get(id);
      push(history?.down, downloadRate);
      push(history?.up, uploadRate);
    }
    for (const [id, { down, up }] of this.byId) {
      const still = [down, up].every((list) =>
        list.every((rate) => rate === 0),
      );
      if (still && down.length >= samples) this.byId.delete(id);
    }
    this.ticks.update((count) => count + 1);
  }
}

function push(list: number[] | undefined, value: number): void {
  list?.push(value);
  if (list && list.length > samples) list.shift();
}
