/** What a download is made of, for the detail view: files, peers, pieces, sources, log. Bytes, bytes per second and ISO times. */
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { logKinds, type LogKind } from '../torrent/torrent-log';

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
