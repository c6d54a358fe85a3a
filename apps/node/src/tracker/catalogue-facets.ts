/** What a search of the catalogue can be narrowed by, for each entry by its number: kind, publisher, and how many seed. */
import { kindOfAll, kinds, type Kind } from '@dnd/kinds';
import type { Bits } from './bits';
import {
  catalogueHealths,
  type CatalogueFacetsDto,
  type CatalogueFilterDto,
  type CatalogueHealth,
} from './tracker.dto';
import type { Entry } from './values';

/** Fewer seeders than this are few. */
const enough = 3;
/** Publishers in an answer, those with the most entries. */
const mostPublishers = 100;

type Seeders = (number: number) => number;
type Filter = Pick<CatalogueFilterDto, 'kind' | 'publisher' | 'health'>;

export class CatalogueFacets {
  // Per number.
  private readonly kinds: Kind[] = [];
  private readonly publishers: number[] = [];
  /** As in the newest entry of theirs. */
  private readonly names = new Map<number, string>();

  constructor(private readonly seeders: Seeders) {}

  /** Of the next number. */
  add(entry: Entry): void {
    this.kinds.push(kindOfAll(entry));
    this.publishers.push(entry.publisherId);
    this.names.set(entry.publisherId, entry.publisherName);
  }

  /** Drops from `found` what does not pass. */
  narrow(found: Bits, { kind, publisher, health }: Filter): void {
    for (let number = 0; number < this.kinds.length; number++) {
      if (!found.has(number)) continue;
      const passes =
        (kind === undefined || this.kinds[number] === kind) &&
        (publisher === undefined || this.publishers[number] === publisher) &&
        (health === undefined || this.healthOf(number) === health);
      if (!passes) found.clear(number);
    }
  }

  /** How many of `found` there are of each; a filter does not narrow its own figures, so that another choice can be seen. */
  count(found: Bits, filter: Filter): CatalogueFacetsDto {
    const byKind = new Map<Kind, number>();
    const byPublisher = new Map<number, number>();
    const byHealth = new Map<CatalogueHealth, number>();
    const { kind, publisher, health } = filter;
    for (let number = 0; number < this.kinds.length; number++) {
      if (!found.has(number)) continue;
      const itsKind = this.kinds[number];
      const itsPublisher = this.publishers[number];
      const itsHealth = this.healthOf(number);
      const ofKind = kind === undefined || itsKind === kind;
      const ofPublisher = publisher === undefined || itsPublisher === publisher;
      const ofHealth = health === undefined || itsHealth === health;
      if (ofPublisher && ofHealth) increase(byKind, itsKind);
      if (ofKind && ofHealth) increase(byPublisher, itsPublisher);
      if (ofKind && ofPublisher) increase(byHealth, itsHealth);
    }
    return {
      kinds: kinds.flatMap((kind) => {
        const count = byKind.get(kind);
        return count === undefined ? [] : [{ kind, count }];
      }),
      publishers: [...byPublisher]
        .sort(([a, countA], [b, countB]) => countB - countA || a - b)
        .slice(0, mostPublishers)
        .map(([id, count]) => ({ id, name: this.names.get(id) ?? '', count })),
      health: catalogueHealths.map((health) => ({
        health,
        count: byHealth.get(health) ?? 0,
      })),
    };
  }

  private healthOf(number: number): CatalogueHealth {
    const seeders = this.seeders(number);
    if (seeders === 0) return 'none';
    return seeders < enough ? 'few' : 'good';
  }
}

function increase<K>(counts: Map<K, number>, key: K): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
