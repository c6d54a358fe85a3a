/** What the catalogue is narrowed by, as it stands in the address of the page: it can be kept, sent and gone back from. */
import { kinds, type Kind } from '@dnd/kinds';

export const healths = ['good', 'few', 'none'] as const;
export type HealthName = (typeof healths)[number];

export interface CatalogueFilter {
  readonly kind?: Kind;
  /** Client id. */
  readonly publisher?: number;
  readonly health?: HealthName;
}

/** Of the texts of an address; what makes no sense is left out. */
export function readFilter(query: {
  readonly kind?: string;
  readonly publisher?: string;
  readonly health?: string;
}): CatalogueFilter {
  const kind = kinds.find((name) => name === query.kind);
  const health = healths.find((name) => name === query.health);
  const publisher = /^\d{1,16}$/.test(query.publisher ?? '')
    ? Number(query.publisher)
    : undefined;
  return {
    ...(kind ? { kind } : {}),
    ...(publisher === undefined ? {} : { publisher }),
    ...(health ? { health } : {}),
  };
}
