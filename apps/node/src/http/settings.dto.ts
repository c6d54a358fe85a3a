import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { IsInt, IsOptional, Max, Min } from 'class-validator';
import { portNames, type PortName } from '../config/saved-ports';

export class PortDto {
  @ApiProperty({
    enum: portNames,
    enumName: 'PortName',
    description:
      'web: page and REST; tracker: BitTorrent clients; peer: peer connections; ring: other nodes.',
  })
  name!: PortName;
  @ApiProperty({ description: 'Listened on now.' }) port!: number;
  @ApiProperty({ description: 'After the next start.' }) next!: number;
  @ApiProperty({
    description:
      'Given when the node was started; it can be changed there only.',
  })
  fixed!: boolean;
}

export class PortsDto {
  @ApiProperty() total!: number;
  @ApiProperty({ type: [PortDto] }) items!: PortDto[];
}

const port = { minimum: 1, maximum: 65_535 };

export class UpdatePortsDto {
  @ApiPropertyOptional(port)
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(65_535)
  web?: number;
  @ApiPropertyOptional(port)
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(65_535)
  tracker?: number;
  @ApiPropertyOptional(port)
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(65_535)
  peer?: number;
  @ApiPropertyOptional(port)
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(65_535)
  ring?: number;
}

export class FoldersDto {
  @ApiProperty({
    description: 'The Storage folder, on the machine of the node.',
  })
  storage!: string;
  @ApiProperty({ description: 'Bytes that the node may still write there.' })
  freeBytes!: number;
  @ApiProperty({ description: 'Bytes of that disk.' }) totalBytes!: number;
  @ApiProperty({
    type: [String],
    description:
      'Folders whose files may be published where they lie (--share).',
  })
  shares!: string[];
}
