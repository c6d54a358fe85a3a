/** What crosses the peer seam and, unchanged, the REST API: bytes, bytes per second, seconds and ISO times throughout. */
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsNumber,
  IsOptional,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  MinLength,
  ValidateNested,
} from 'class-validator';
import { logKinds, type LogKind } from './torrent-log';

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

export const torrentFormats = ['v1', 'v2', 'hybrid'] as const;
export type TorrentFormat = (typeof torrentFormats)[number];

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

export class DownloadFileDto {
  @ApiProperty() index!: number;
  @ApiProperty({ description: 'Path inside the torrent, parts joined by "/".' })
  path!: string;
  @ApiProperty() size!: number;
  @ApiProperty() completedBytes!: number;
  @ApiProperty({ description: '0 skips the file, 1 low, 4 normal, 7 high.' })
  priority!: number;
  @ApiProperty({ description: 'Where the bytes are served, with Range.' })
  url!: string;
}

export class DownloadFilesDto {
  @ApiProperty() total!: number;
  @ApiProperty({ type: [DownloadFileDto] }) items!: DownloadFileDto[];
}

export class PeerDto {
  @ApiProperty({ description: 'host:port' }) address!: string;
  @ApiProperty({ description: 'Program and version, as far as it tells.' })
  client!: string;
  @ApiProperty() incoming!: boolean;
  @ApiProperty({ enum: ['tcp', 'utp', 'web'] }) transport!: string;
  @ApiProperty() encrypted!: boolean;
  @ApiProperty({ description: '0 to 1.' }) progress!: number;
  @ApiProperty() downloadRate!: number;
  @ApiProperty() uploadRate!: number;
  @ApiProperty() downloadedBytes!: number;
  @ApiProperty() uploadedBytes!: number;
  @ApiProperty({ description: 'It lets us download.' }) unchoked!: boolean;
  @ApiProperty({ description: 'We want something it has.' })
  interesting!: boolean;
  @ApiProperty({ description: 'We let it download.' }) choked!: boolean;
  @ApiProperty({ description: 'It wants something we have.' })
  interested!: boolean;
  @ApiProperty({
    description: 'Who told us of it: tracker, pex, lsd, dht, manual, incoming.',
  })
  source!: string;
}

export class PeersDto {
  @ApiProperty() total!: number;
  @ApiProperty({ type: [PeerDto] }) items!: PeerDto[];
}

export class PiecesDto {
  @ApiProperty() count!: number;
  @ApiProperty({ description: 'Bytes a piece.' }) length!: number;
  @ApiProperty({ description: 'Verified pieces: BEP 3 bitfield in base64.' })
  have!: string;
  @ApiProperty({ type: [Number], description: 'Pieces being downloaded now.' })
  inFlight!: number[];
  @ApiProperty({
    description:
      'Connected peers that have it, one byte a piece (255 = 255 or more), in base64.',
  })
  availability!: string;
}

export class SourceDto {
  @ApiProperty({
    enum: ['ring', 'tracker', 'lsd', 'pex', 'dht', 'web-seed', 'manual'],
  })
  kind!: string;
  @ApiProperty({ description: 'Its address or name.' }) url!: string;
  @ApiProperty({ enum: ['waiting', 'working', 'ok', 'error', 'off'] })
  state!: string;
  @ApiPropertyOptional({ description: 'The last error, in words.' })
  message?: string;
  @ApiProperty({ description: 'Peers it gave last.' }) peers!: number;
  @ApiPropertyOptional({ format: 'date-time' }) lastAt?: string;
  @ApiPropertyOptional({ format: 'date-time' }) nextAt?: string;
}

export class SourcesDto {
  @ApiProperty() total!: number;
  @ApiProperty({ type: [SourceDto] }) items!: SourceDto[];
}

export class LogEntryDto {
  @ApiProperty({
    format: 'date-time',
    description: 'Of the last time where it happened several times.',
  })
  at!: string;
  @ApiProperty({ enum: logKinds, enumName: 'LogKind' }) kind!: LogKind;
  @ApiProperty({
    description: 'Which piece, which peer, which tracker, or why, in words.',
  })
  detail!: string;
  @ApiProperty({ description: 'How many times in a row.' }) count!: number;
}

export class LogDto {
  @ApiProperty() total!: number;
  @ApiProperty({ type: [LogEntryDto] }) items!: LogEntryDto[];
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
      'As the first seed, show each peer one piece at a time (BEP 16); from the next start on.',
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

export class PublishOptionsDto {
  @ApiPropertyOptional({
    description: 'The name others see; by default the file or folder name.',
    maxLength: 255,
  })
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(255)
  name?: string;

  @ApiPropertyOptional({ maxLength: 4096 })
  @IsOptional()
  @IsString()
  @MaxLength(4096)
  comment?: string;

  @ApiPropertyOptional({
    description: 'BEP 27: peers come from the tracker only.',
  })
  @IsOptional()
  @IsBoolean()
  private?: boolean;

  @ApiPropertyOptional({
    description:
      'Bytes, a power of two from 16 KiB to 64 MiB; chosen by size when absent.',
  })
  @IsOptional()
  @IsInt()
  @Min(16_384)
  @Max(67_108_864)
  pieceLength?: number;

  @ApiPropertyOptional({ enum: torrentFormats, enumName: 'TorrentFormat' })
  @IsOptional()
  @IsIn(torrentFormats)
  format?: TorrentFormat;
}

export class PublishPathDto extends PublishOptionsDto {
  @ApiProperty({
    description: 'A file or folder below a share root of this node (--share).',
  })
  @IsString()
  @MinLength(1)
  @MaxLength(4096)
  path!: string;
}

export class ReplicasDto {
  @ApiProperty({ description: 'Nodes that have it on disk now.' })
  stored!: number;
  @ApiProperty({ description: 'Nodes it should be on.' }) wanted!: number;
  @ApiPropertyOptional({ description: 'What to do when it is on too few.' })
  advice?: string;
}

export const publicationStates = [
  'receiving',
  'paused',
  'hashing',
  'publishing',
  'published',
  'failed',
] as const;
export type PublicationState = (typeof publicationStates)[number];

export class PublicationDto {
  @ApiProperty() id!: string;
  @ApiPropertyOptional({ description: 'Known once hashed.' }) infoHash?: string;
  @ApiProperty() name!: string;
  @ApiProperty() size!: number;
  @ApiProperty({ description: 'How many files.' }) files!: number;
  @ApiProperty({ enum: publicationStates, enumName: 'PublicationState' })
  state!: PublicationState;
  @ApiProperty({
    description:
      'Bytes of the present state that are done (received, then hashed).',
  })
  doneBytes!: number;
  @ApiPropertyOptional() reason?: string;
  @ApiPropertyOptional() magnet?: string;
  @ApiPropertyOptional({ type: ReplicasDto }) replicas?: ReplicasDto;
}

export class PublicationsDto {
  @ApiProperty() total!: number;
  @ApiProperty({ type: [PublicationDto] }) items!: PublicationDto[];
}

export class LibraryItemDto {
  @ApiProperty() infoHash!: string;
  @ApiProperty() name!: string;
  @ApiProperty() size!: number;
  @ApiProperty({ description: 'How many files.' }) files!: number;
  @ApiProperty({ description: 'Published here; otherwise downloaded.' })
  published!: boolean;
  @ApiProperty({ enum: downloadStates, enumName: 'DownloadState' })
  state!: DownloadState;
  @ApiProperty() uploadedBytes!: number;
  @ApiProperty() uploadRate!: number;
  @ApiProperty() peers!: number;
  @ApiProperty({ format: 'date-time' }) addedAt!: string;
  @ApiPropertyOptional({ format: 'date-time' }) completedAt?: string;
}

export class LibraryDto {
  @ApiProperty() total!: number;
  @ApiProperty({ type: [LibraryItemDto] }) items!: LibraryItemDto[];
}

const timeOfDay = /^([01]\d|2[0-3]):[0-5]\d$/;

export const encryptionModes = [
  'off',
  'accepted',
  'preferred',
  'required',
] as const;
export type EncryptionMode = (typeof encryptionModes)[number];

export const alternativeModes = ['off', 'on', 'schedule'] as const;
export type AlternativeMode = (typeof alternativeModes)[number];

/** A time of the week, in the time zone of the node. */
export class LimitRuleDto {
  @ApiProperty({
    type: [Number],
    description: 'Days on which it begins: 1 is Monday, 7 is Sunday.',
  })
  @IsArray()
  @ArrayMaxSize(7)
  @IsInt({ each: true })
  @Min(1, { each: true })
  @Max(7, { each: true })
  days!: number[];

  @ApiProperty({ example: '08:00' })
  @Matches(timeOfDay, { message: 'from must be a time from 00:00 to 23:59' })
  from!: string;

  @ApiProperty({
    example: '18:00',
    description: 'Of the next day where it is not later than `from`.',
  })
  @Matches(timeOfDay, { message: 'to must be a time from 00:00 to 23:59' })
  to!: string;
}

export class SettingsDto {
  @ApiProperty({
    description: 'What others see beside what this node publishes.',
  })
  name!: string;
  @ApiProperty({
    description: 'Bytes per second for all torrents; 0 is unlimited.',
  })
  downloadLimit!: number;
  @ApiProperty({
    description: 'Bytes per second for all torrents; 0 is unlimited.',
  })
  uploadLimit!: number;
  @ApiProperty({
    enum: alternativeModes,
    enumName: 'AlternativeMode',
    description:
      'Whether the alternative limits hold: never, always, or by the schedule.',
  })
  alternative!: AlternativeMode;
  @ApiProperty({ description: 'Bytes per second; 0 is unlimited.' })
  alternativeDownloadLimit!: number;
  @ApiProperty({ description: 'Bytes per second; 0 is unlimited.' })
  alternativeUploadLimit!: number;
  @ApiProperty({
    type: [LimitRuleDto],
    description: 'When the alternative limits hold: at any of these times.',
  })
  schedule!: LimitRuleDto[];
  @ApiProperty({
    description: 'The alternative limits hold at this moment.',
    readOnly: true,
  })
  alternativeNow!: boolean;
  @ApiProperty({
    description: 'The limits hold for peers of the local network too.',
  })
  limitLocal!: boolean;
  @ApiProperty({ description: 'Downloads at once; others are queued.' })
  maxActiveDownloads!: number;
  @ApiProperty({ description: 'Stop seeding at uploaded / size; 0 never.' })
  seedRatio!: number;
  @ApiProperty({ description: 'Stop seeding after minutes; 0 never.' })
  seedMinutes!: number;
  @ApiProperty({ enum: encryptionModes, enumName: 'EncryptionMode' })
  encryption!: EncryptionMode;
  @ApiProperty({ description: 'Connections over uTP (UDP) as well as TCP.' })
  utp!: boolean;
}

export class UpdateSettingsDto {
  @ApiPropertyOptional({ maxLength: 64 })
  @IsOptional()
  @IsString()
  @MinLength(1)
  @MaxLength(64)
  name?: string;
  @ApiPropertyOptional() @IsOptional() @IsInt() @Min(0) downloadLimit?: number;
  @ApiPropertyOptional() @IsOptional() @IsInt() @Min(0) uploadLimit?: number;
  @ApiPropertyOptional()
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(1000)
  maxActiveDownloads?: number;
  @ApiPropertyOptional() @IsOptional() @IsNumber() @Min(0) seedRatio?: number;
  @ApiPropertyOptional() @IsOptional() @IsInt() @Min(0) seedMinutes?: number;
  @ApiPropertyOptional({ enum: encryptionModes, enumName: 'EncryptionMode' })
  @IsOptional()
  @IsIn(encryptionModes)
  encryption?: EncryptionMode;
  @ApiPropertyOptional({ enum: alternativeModes, enumName: 'AlternativeMode' })
  @IsOptional()
  @IsIn(alternativeModes)
  alternative?: AlternativeMode;
  @ApiPropertyOptional()
  @IsOptional()
  @IsInt()
  @Min(0)
  alternativeDownloadLimit?: number;
  @ApiPropertyOptional()
  @IsOptional()
  @IsInt()
  @Min(0)
  alternativeUploadLimit?: number;
  @ApiPropertyOptional({ type: [LimitRuleDto], maxItems: 50 })
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(50)
  @ValidateNested({ each: true })
  @Type(() => LimitRuleDto)
  schedule?: LimitRuleDto[];
  @ApiPropertyOptional() @IsOptional() @IsBoolean() limitLocal?: boolean;
  @ApiPropertyOptional() @IsOptional() @IsBoolean() utp?: boolean;
}

/** A part of the peer's state that changed; the page and `GET events` live on these. */
export type PeerEvent =
  | { readonly type: 'download'; readonly data: DownloadDto }
  | {
      readonly type: 'download-removed';
      readonly data: { readonly id: string };
    }
  | { readonly type: 'publication'; readonly data: PublicationDto };
