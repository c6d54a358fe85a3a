/**
 * What `GET /api/events` sends, by event name. OpenAPI cannot describe the data of single
 * Server-Sent Events, so this map is written by hand; its parts are the generated schemas.
 */
import type { DownloadDto } from './generated/models/download-dto';
import type { PublicationDto } from './generated/models/publication-dto';
import type { RingDto } from './generated/models/ring-dto';

export interface ServerEventMap {
  /** Everything there is; replaces what the page knew. */
  readonly snapshot: {
    readonly downloads: readonly DownloadDto[];
    readonly publications: readonly PublicationDto[];
  };
  readonly download: DownloadDto;
  readonly 'download-removed': { readonly id: string };
  readonly publication: PublicationDto;
  readonly 'publication-removed': { readonly id: string };
  readonly catalogue: { readonly version: number };
  readonly ring: RingDto;
}

export type ServerEventName = keyof ServerEventMap;

export type ServerEvent = {
  [Name in ServerEventName]: {
    readonly type: Name;
    readonly data: ServerEventMap[Name];
  };
}[ServerEventName];
