/** A publication, and how it is asked for. */
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import {
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
  MinLength,
} from 'class-validator';

export const torrentFormats = ['v1', 'v2', 'hybrid'] as const;
export type TorrentFormat = (typeof torrentFormats)[number];

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

export const replicaReasons = [
  'too-few-nodes',
  'copies-under-way',
  'published-before',
] as const;
export type ReplicaReason = (typeof replicaReasons)[number];

export class ReplicasDto {
  @ApiProperty({ description: 'Nodes that have it on disk now.' })
  stored!: number;
  @ApiProperty({ description: 'Nodes it should be on.' }) wanted!: number;
  @ApiPropertyOptional({
    enum: replicaReasons,
    enumName: 'ReplicaReason',
    description:
      'Why there is something to say: too few nodes live; the nodes are there, and copies are on their way to them or made anew within half a minute; somebody else has published the same before.',
  })
  reason?: ReplicaReason;
  @ApiPropertyOptional({ description: '`reason` in a sentence.' })
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
