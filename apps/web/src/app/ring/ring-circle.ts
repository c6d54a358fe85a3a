/** The ring as a circle: nodes at their ids, ranges with their load, the ways that this node knows, and where a key lies. */
import { Component, computed, inject, input, output } from '@angular/core';
import type { RingDto } from '@dnd/api-client';
import { Formats } from '../language/formats';
import { Language } from '../language/language';
import {
  arc,
  ownersOf,
  pictureOf,
  pointAt,
  radius,
  shareOf,
  shortOf,
  turnOf,
} from './ring-picture';

/** The way from a key to its keepers runs outside the circle. */
const outside = radius + 13;

@Component({
  selector: 'app-ring-circle',
  templateUrl: './ring-circle.html',
  styleUrl: './ring-circle.scss',
})
export class RingCircle {
  readonly ring = input.required<RingDto>();
  /** 40 hex digits. */
  readonly key = input<string>();
  /** Ids of the nodes that keep the key. */
  readonly owners = input<ReadonlySet<string>>(new Set());
  /** Id of the node whose details are shown. */
  readonly chosen = input<string>();
  readonly picked = output<string>();

  protected readonly f = inject(Formats);
  protected readonly t = inject(Language).texts;
  protected readonly radius = radius;

  protected readonly picture = computed(() =>
    pictureOf(this.ring(), (id) => this.nameOf(id)),
  );
  protected readonly alive = computed(
    () => this.ring().nodes.filter(({ state }) => state === 'alive').length,
  );
  protected readonly keyPoint = computed(() => {
    const key = this.key();
    return key === undefined ? undefined : pointAt(turnOf(key));
  });
  protected readonly keyWay = computed(() => {
    const key = this.key();
    const last = key && ownersOf(this.ring(), key).at(-1);
    if (!key || !last) return '';
    return arc(turnOf(key), shareOf(key, last.id), outside);
  });

  protected nameOf(id: string): string {
    return id === this.ring().self.id ? this.t().ring.self : shortOf(id);
  }

  protected short(id: string): string {
    return shortOf(id);
  }
}
