/** A download, and how it is asked for and changed: what crosses the peer seam and, unchanged, the REST API. Bytes, bytes per second, seconds and ISO times. */
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsInt,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
  ValidateNested,
} from 'class-validator';

export const downloadStates = [
  'queued',
  'fetching-metadata',
  'checking',
  'downloading',
  'paused',
  'seeding',
  'completed',
  'failed',
  'cancelled',
] as const;
export type DownloadState = (typeof downloadStates)[number];

export const infoHashPattern = /^[0-9a-f]{40}$/;

export class DownloadDto {
  @ApiProperty({ description: 'The info-hash: 40 hex digits.' }) id!: string;
  @ApiProperty({ description: 'The same, under the name other lists use.' })
  infoHash!: string;
  @ApiProperty() name!: string;
  @ApiProperty({
    description: 'Bytes of content; 0 while the metadata is unknown.',
  })
  size!: number;
  @ApiProperty({ description: 'How many files.' }) files!: number;
  @ApiProperty({ enum: downloadStates, enumName: 'DownloadState' })
  state!: DownloadState;
  @ApiPropertyOptional({ description: 'Why it waits or failed, in words.' })
  reason?: string;
  @ApiProperty({ description: 'Verified bytes.' }) completedBytes!: number;
  @ApiProperty({ description: 'Bytes per second.' }) downloadRate!: number;
  @ApiProperty({ description: 'Bytes per second.' }) uploadRate!: number;
  @ApiProperty() uploadedBytes!: number;
  @ApiProperty({ description: 'Connected peers.' }) peers!: number;
  @ApiProperty({ description: 'Connected peers that have everything.' })
  seeds!: number;
  @ApiPropertyOptional({
    description: 'Seconds to the end at the present rate.',
  })
  eta?: number;
  @ApiProperty({ format: 'date-time' }) addedAt!: string;
  @ApiPropertyOptional({ format: 'date-time' }) completedAt?: string;
  @ApiProperty({ description: 'True when this node published it.' })
  published!: boolean;
  @ApiProperty() sequential!: boolean;
  @ApiProperty({ description: 'Bytes per second; 0 is unlimited.' })
  downloadLimit!: number;
  @ApiProperty({ description: 'Bytes per second; 0 is unlimited.' })
  uploadLimit!: number;
}

export class DownloadsDto {
  @ApiProperty() total!: number;
  @ApiProperty({ type: [DownloadDto] }) items!: DownloadDto[];
}

export class DownloadOptionsDto {
  @ApiPropertyOptional({
    type: [Number],
    description: 'Indexes of the files to download; all when absent.',
  })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(100_000)
  @IsInt({ each: true })
  @Min(0, { each: true })
  files?: number[];

  @ApiPropertyOptional({
    description: 'From the first byte to the last, for watching meanwhile.',
  })
  @IsOptional()
  @IsBoolean()
  sequential?: boolean;

  @ApiPropertyOptional({
    type: [String],
    description: 'Peers to ask besides those found: host:port.',
  })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(100)
  @Matches(/^(\[[0-9a-fA-F:.]+\]|[^\s:]{1,253}):\d{1,5}$/, {
    each: true,
    message: 'peers must be "host:port"',
  })
  peers?: string[];

  @ApiPropertyOptional({
    description:
      'Folder that holds the content already, at a share root or below it: what is there is checked and seeded, and never deleted.',
  })
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(4096)
  folder?: string;
}

export class AddDownloadDto extends DownloadOptionsDto {
  @ApiPropertyOptional({
    description: 'Of a file in the catalogue: 40 hex digits.',
  })
  @IsOptional()
  @IsString()
  @Matches(/^[0-9a-fA-F]{40}$/, { message: 'infoHash must be 40 hex digits' })
  infoHash?: string;

  @ApiPropertyOptional({ description: 'A magnet link (BEP 9).' })
  @IsOptional()
  @IsString()
  @MaxLength(32_768)
  magnet?: string;
}

export class FilePriorityDto {
  @ApiProperty() @IsInt() @Min(0) index!: number;
  @ApiProperty({ minimum: 0, maximum: 7 })
  @IsInt()
  @Min(0)
  @Max(7)
  priority!: number;
}

export class UpdateDownloadDto {
  @ApiPropertyOptional({ description: 'Bytes per second; 0 is unlimited.' })
  @IsOptional()
  @IsInt()
  @Min(0)
  downloadLimit?: number;

  @ApiPropertyOptional({ description: 'Bytes per second; 0 is unlimited.' })
  @IsOptional()
  @IsInt()
  @Min(0)
  uploadLimit?: number;

  @ApiPropertyOptional() @IsOptional() @IsBoolean() sequential?: boolean;

  @ApiPropertyOptional({
    description:
      'As the first seed, show each peer one piece at a time (BEP 16).',
  })
  @IsOptional()
  @IsBoolean()
  superSeeding?: boolean;

  @ApiPropertyOptional({
    type: [String],
    description: 'More peers to ask: host:port.',
  })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(100)
  @Matches(/^(\[[0-9a-fA-F:.]+\]|[^\s:]{1,253}):\d{1,5}$/, {
    each: true,
    message: 'peers must be "host:port"',
  })
  peers?: string[];

  @ApiPropertyOptional({ type: [FilePriorityDto] })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(100_000)
  @ValidateNested({ each: true })
  @Type(() => FilePriorityDto)
  files?: FilePriorityDto[];
}
