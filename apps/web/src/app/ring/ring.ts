import {
  afterNextRender,
  Component,
  computed,
  effect,
  ElementRef,
  inject,
  Injector,
  input,
  linkedSignal,
  signal,
  viewChild,
} from '@angular/core';
import { MatButton, MatIconButton } from '@angular/material/button';
import { MatProgressBar } from '@angular/material/progress-bar';
import {
  Api,
  listCatalogue,
  type CatalogueEntryDto,
  type RingDto,
  type RingNodeDto,
} from '@dnd/api-client';
import { Formats } from '../language/formats';
import { Language } from '../language/language';
import type { Texts } from '../language/en';
import { RingStore } from '../live/ring-store';
import { problemText } from '../session/problem';
import { Notices } from '../shell/notices';
import { Icon } from '../ui/icon';
import { RingCircle } from './ring-circle';
import { ownersOf, shareOf, shortOf } from './ring-picture';

/** Files offered for some words. */
const mostMatches = 5;

const isHash = (text: string): boolean => /^[0-9a-f]{40}$/i.test(text);

interface Row {
  readonly node: RingNodeDto;
  readonly name: string;
  readonly role: string;
  readonly share: number | undefined;
  readonly records: number | undefined;
}

@Component({
  selector: 'app-ring',
  imports: [Icon, MatButton, MatIconButton, MatProgressBar, RingCircle],
  templateUrl: './ring.html',
  styleUrl: './ring.scss',
})
export class Ring {
  /** From the query: an info-hash whose record is to be shown. */
  readonly key = input<string>();

  private readonly api = inject(Api);
  private readonly injector = inject(Injector);
  private readonly notices = inject(Notices);
  private readonly store = inject(RingStore);
  protected readonly f = inject(Formats);
  protected readonly t = inject(Language).texts;

  protected readonly ring = this.store.ring;
  protected readonly alive = this.store.alive;
  protected readonly problem = computed(() => {
    const error = this.store.error();
    return error && !this.ring() ? problemText(error, this.t()) : '';
  });
  protected readonly rows = computed<Row[]>(() => {
    const ring = this.ring();
    if (!ring) return [];
    return [...ring.nodes]
      .sort((a, b) => after(ring, a.id) - after(ring, b.id))
      .map((node) => this.row(ring, node));
  });
  protected readonly chosen = signal<string | undefined>(undefined);
  protected readonly details = computed(() =>
    this.rows().find(({ node }) => node.id === this.chosen()),
  );

  protected readonly typed = linkedSignal(() => this.key() ?? '');
  protected readonly shown = linkedSignal(
    () => this.key()?.toLowerCase() ?? '',
  );
  protected readonly keyValid = computed(() => isHash(this.shown()));
  /** Files that the words found; undefined when none were asked for. */
  protected readonly matches = signal<readonly CatalogueEntryDto[] | undefined>(
    undefined,
  );
  private readonly panel = viewChild<ElementRef<HTMLElement>>('panel');
  protected readonly owners = computed(() => {
    const ring = this.ring();
    return ring && this.keyValid() ? ownersOf(ring, this.shown()) : [];
  });
  protected readonly ownerIds = computed(
    () => new Set(this.owners().map(({ id }) => id)),
  );
  protected readonly ownerNames = computed(() =>
    this.owners()
      .map(({ id }) => this.nameOf(id))
      .join(', '),
  );
  /** Said to screen readers when nodes come and go. */
  protected readonly news = signal('');

  protected readonly kinds = computed(() => {
    const records = this.ring()?.records;
    const names = this.t().ring.kinds;
    if (!records) return [];
    return (Object.keys(names) as (keyof typeof names)[]).map((kind) => ({
      name: names[kind],
      count: records[kind],
    }));
  });

  constructor() {
    void this.store.load();
    let before: ReadonlyMap<string, string> | undefined;
    effect(() => {
      const nodes = this.ring()?.nodes;
      if (!nodes) return;
      const now = new Map(nodes.map(({ id, state }) => [id, state]));
      if (before) this.tell(before, now, this.t());
      before = now;
    });
  }

  protected nameOf(id: string): string {
    const ring = this.ring();
    if (ring?.self.id === id) return this.t().ring.self;
    return shortOf(id);
  }

  protected pick(id: string): void {
    this.chosen.update((chosen) => (chosen === id ? undefined : id));
    // Where the details stand below the picture, they come into view.
    if (this.chosen() === undefined) return;
    afterNextRender(
      () => this.panel()?.nativeElement.scrollIntoView({ block: 'nearest' }),
      { injector: this.injector },
    );
  }

  /** An info-hash, or words that a file is found by. */
  protected async find(text: string): Promise<void> {
    const wanted = text.trim();
    this.matches.set(undefined);
    if (wanted === '' || isHash(wanted)) {
      this.shown.set(wanted.toLowerCase());
      return;
    }
    try {
      const query = { search: wanted.slice(0, 200), limit: mostMatches };
      const { items } = await this.api.invoke(listCatalogue, query);
      this.matches.set(items);
      this.show(items.at(0)?.infoHash ?? '');
    } catch (error) {
      this.notices.fail(error);
    }
  }

  protected show(infoHash: string): void {
    this.shown.set(infoHash);
  }

  private row(ring: RingDto, node: RingNodeDto): Row {
    const range = ring.ranges.find(({ owner }) => owner === node.id);
    return {
      node,
      name: this.nameOf(node.id),
      role: roleOf(ring, node.id, this.t()),
      share: range ? shareOf(range.from, range.to) : undefined,
      records: range?.records,
    };
  }

  private tell(
    before: ReadonlyMap<string, string>,
    now: ReadonlyMap<string, string>,
    { ring }: Texts,
  ): void {
    for (const [id, state] of now) {
      const was = before.get(id);
      if (was === undefined || (was === 'dead' && state === 'alive')) {
        this.news.set(ring.joined(shortOf(id)));
      } else if (was !== 'dead' && state === 'dead') {
        this.news.set(ring.left(shortOf(id)));
      }
    }
  }
}

/** How far clockwise from this node, 0 to 1. */
const after = (ring: RingDto, id: string): number =>
  id === ring.self.id ? 0 : shareOf(ring.self.id, id);

function roleOf(ring: RingDto, id: string, { ring: words }: Texts): string {
  if (id === ring.self.id) return words.you;
  const place = ring.successors.indexOf(id);
  const roles = [
    ...(place >= 0 ? [words.successor(place + 1)] : []),
    ...(ring.predecessor === id ? [words.predecessor] : []),
    ...(ring.fingers.includes(id) ? [words.finger] : []),
  ];
  return roles.join(', ') || words.other;
}
