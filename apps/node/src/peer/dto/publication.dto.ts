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
