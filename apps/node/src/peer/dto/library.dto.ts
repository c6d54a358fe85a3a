/** What this node has published or finished. */
import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { downloadStates, type DownloadState } from './download.dto';

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
