/** What crosses the tracker seam and the REST API about the catalogue. */
import { kinds, type Kind } from '@dnd/kinds';
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
} from 'class-validator';

export class PublisherDto {
  @ApiProperty({ description: 'The numeric client id the tracker gave.' })
  id!: number;
  @ApiProperty() name!: string;
}

export class CatalogueEntryDto {
  @ApiProperty({ description: '40 hex digits.' }) infoHash!: string;
  @ApiProperty() name!: string;
  @ApiProperty({ description: 'Bytes.' }) size!: number;
  @ApiProperty({ description: 'How many files.' }) files!: number;
  @ApiPropertyOptional() comment?: string;
  @ApiProperty({ type: PublisherDto }) publisher!: PublisherDto;
  @ApiProperty({ format: 'date-time' }) publishedAt!: string;
  @ApiProperty() seeders!: number;
  @ApiProperty() leechers!: number;
}

export class CataloguePageDto {
  @ApiProperty({ description: 'Entries that match, on all pages.' })
  total!: number;
  @ApiProperty({ type: [CatalogueEntryDto] }) items!: CatalogueEntryDto[];
  @ApiPropertyOptional({
    description:
      'The node has just started and still reads in the catalogue that it kept: more will be found in a moment.',
  })
  reading?: boolean;
}

export class CatalogueFileDto {
  @ApiProperty() index!: number;
  @ApiProperty({ description: 'Path inside the torrent, parts joined by "/".' })
  path!: string;
  @ApiProperty() size!: number;
}

export class CatalogueVersionDto {
  @ApiProperty({ description: '40 hex digits.' }) infoHash!: string;
  @ApiProperty({ description: 'Bytes.' }) size!: number;
  @ApiProperty({ type: PublisherDto }) publisher!: PublisherDto;
  @ApiProperty({ format: 'date-time' }) publishedAt!: string;
}

export class CatalogueDetailDto extends CatalogueEntryDto {
  @ApiProperty({
    type: [CatalogueVersionDto],
    description:
      'What was published under this name, this entry too, the newest first; at most 50.',
  })
  versions!: CatalogueVersionDto[];
  @ApiProperty({ type: [CatalogueFileDto] }) tree!: CatalogueFileDto[];
  @ApiProperty() pieceLength!: number;
  @ApiProperty() pieces!: number;
  @ApiProperty() private!: boolean;
  @ApiProperty({ description: 'v1, v2 or hybrid.' }) format!: string;
  @ApiProperty() magnet!: string;
}

export const catalogueSorts = ['name', 'size', 'date', 'seeders'] as const;
export type CatalogueSort = (typeof catalogueSorts)[number];

/** Nobody has all of it; one or two have; more have. */
export const catalogueHealths = ['none', 'few', 'good'] as const;
export type CatalogueHealth = (typeof catalogueHealths)[number];

export class CatalogueFilterDto {
  @ApiPropertyOptional({
    description:
      'Words found anywhere in name, comment and file paths; case and accents do not matter.',
    maxLength: 200,
  })
  @IsOptional()
  @IsString()
  @MaxLength(200)
  search?: string;

  @ApiPropertyOptional({
    enum: kinds,
    description: 'By the end of the name; several files are a folder.',
  })
  @IsOptional()
  @IsIn(kinds)
  kind?: Kind;

  @ApiPropertyOptional({ description: 'The numeric client id.' })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  publisher?: number;

  @ApiPropertyOptional({
    enum: catalogueHealths,
    description: 'No seeder, one or two, or more, as last counted.',
  })
  @IsOptional()
  @IsIn(catalogueHealths)
  health?: CatalogueHealth;
}

export class KindCountDto {
  @ApiProperty({ enum: kinds }) kind!: Kind;
  @ApiProperty() count!: number;
}

export class PublisherCountDto extends PublisherDto {
  @ApiProperty() count!: number;
}

export class HealthCountDto {
  @ApiProperty({ enum: catalogueHealths }) health!: CatalogueHealth;
  @ApiProperty() count!: number;
}

export class CatalogueFacetsDto {
  @ApiProperty({ type: [KindCountDto], description: 'Kinds there are.' })
  kinds!: KindCountDto[];
  @ApiProperty({
    type: [PublisherCountDto],
    description: 'The hundred with the most entries, the most first.',
  })
  publishers!: PublisherCountDto[];
  @ApiProperty({ type: [HealthCountDto] }) health!: HealthCountDto[];
}

export class CatalogueQueryDto extends CatalogueFilterDto {
  @ApiPropertyOptional({ enum: catalogueSorts, default: 'date' })
  @IsOptional()
  @IsIn(catalogueSorts)
  sort?: CatalogueSort;

  @ApiPropertyOptional({
    enum: ['asc', 'desc'],
    description: 'By default asc for names, desc for the others.',
  })
  @IsOptional()
  @IsIn(['asc', 'desc'])
  order?: 'asc' | 'desc';

  @ApiPropertyOptional({ default: 0 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(0)
  offset?: number;

  @ApiPropertyOptional({ default: 100, maximum: 500 })
  @IsOptional()
  @Type(() => Number)
  @IsInt()
  @Min(1)
  @Max(500)
  limit?: number;
}

export class MagnetDto {
  @ApiProperty() magnet!: string;
}

export class TrackerErrorsDto {
  @ApiProperty({
    description: 'Announces and scrapes that broke the protocol.',
  })
  malformed!: number;
  @ApiProperty({ description: 'Refused by a list or for want of a passkey.' })
  refused!: number;
  @ApiProperty({ description: 'Requests and datagrams that were none.' })
  junk!: number;
}

export class TrackerLatencyDto {
  @ApiProperty({
    description: 'Milliseconds that half of the answers took at most.',
  })
  p50!: number;
  @ApiProperty({
    description: 'Milliseconds that 99 of 100 answers took at most.',
  })
  p99!: number;
}

export class TrackerTotalDto {
  @ApiProperty({ description: 'In the last second.' })
  announcesPerSecond!: number;
  @ApiProperty({ description: 'In the last second.' })
  scrapesPerSecond!: number;
  @ApiProperty({
    description:
      'Swarms that are kept, each counted at its first keeper only: the nodes add up to the ring.',
  })
  swarms!: number;
  @ApiProperty({ description: 'Peers in these swarms.' }) peers!: number;
  @ApiProperty({ description: 'Those of them that have everything.' })
  seeds!: number;
  @ApiProperty({
    type: TrackerLatencyDto,
    description: 'Of the ring: the slowest node.',
  })
  latency!: TrackerLatencyDto;
  @ApiProperty({ type: TrackerErrorsDto, description: 'In the last minute.' })
  errorsPerMinute!: TrackerErrorsDto;
}

export class TrackerNodeDto extends TrackerTotalDto {
  @ApiProperty({ description: 'host:port for clients, HTTP and UDP.' })
  address!: string;
}

export class TrackerStatusDto {
  @ApiProperty({ description: 'host:port for clients, HTTP and UDP.' })
  address!: string;
  @ApiProperty({
    type: [String],
    description: 'Where clients announce to this node.',
  })
  urls!: string[];
  @ApiProperty({ description: 'In the last second.' })
  announcesPerSecond!: number;
  @ApiProperty({ description: 'In the last second.' })
  scrapesPerSecond!: number;
  @ApiProperty({ description: 'Since the start.' }) announces!: number;
  @ApiProperty({ description: 'Since the start.' }) scrapes!: number;
  @ApiProperty({
    description: 'Swarms that this node answers of, wherever they are kept.',
  })
  swarms!: number;
  @ApiProperty({ description: 'Peers in these swarms.' }) peers!: number;
  @ApiProperty({ description: 'Those of them that have everything.' })
  seeds!: number;
  @ApiProperty({ type: TrackerLatencyDto }) latency!: TrackerLatencyDto;
  @ApiProperty({ type: TrackerErrorsDto, description: 'Since the start.' })
  errors!: TrackerErrorsDto;
  @ApiProperty({ description: 'Entries of the catalogue.' })
  catalogue!: number;
  @ApiProperty({
    type: [TrackerNodeDto],
    description:
      'The live trackers of the ring, this one first; the others as of the last half minute.',
  })
  ring!: TrackerNodeDto[];
  @ApiProperty({ type: TrackerTotalDto, description: 'The ring as a whole.' })
  total!: TrackerTotalDto;
}
