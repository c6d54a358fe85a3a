import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  ArrayMinSize,
  IsArray,
  IsInt,
  IsLowercase,
  IsOptional,
  IsString,
  IsUUID,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';
import { PublishOptionsDto } from '../peer/dto/publication.dto';
import { maxFiles } from './upload-files';

export class UploadFileDto {
  @ApiProperty({
    description:
      'Relative path, elements joined by "/"; of a folder they all begin with its name.',
    maxLength: 4096,
  })
  @IsString()
  @MaxLength(4096)
  path!: string;

  @ApiProperty({ description: 'Bytes.', minimum: 0 })
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  size!: number;

  @ApiPropertyOptional({
    description:
      'When it was last changed, milliseconds since 1970: lets a sender who comes back see whether it has the same file.',
  })
  @IsOptional()
  @IsInt()
  modified?: number;
}

export class CreateUploadDto extends PublishOptionsDto {
  @ApiPropertyOptional({
    format: 'uuid',
    description:
      'Chosen by the sender, in lower case: then the request can be repeated when its answer was lost, and begins nothing twice.',
  })
  @IsOptional()
  @IsUUID()
  @IsLowercase()
  id?: string;

  @ApiProperty({
    type: [UploadFileDto],
    maxItems: maxFiles,
    description: 'What will be sent, in this order.',
  })
  @IsArray()
  @ArrayMinSize(1)
  @ArrayMaxSize(maxFiles)
  @ValidateNested({ each: true })
  @Type(() => UploadFileDto)
  files!: UploadFileDto[];
}

export const uploadStates = [
  'receiving',
  'paused',
  'publishing',
  'failed',
] as const;

export class UploadDto {
  @ApiProperty({ description: 'Also the id of the publication it becomes.' })
  id!: string;
  @ApiProperty() name!: string;
  @ApiProperty({ description: 'Bytes.' }) size!: number;
  @ApiProperty({ description: 'Bytes of it that are here.' }) offset!: number;
  @ApiProperty({
    enum: uploadStates,
    enumName: 'UploadState',
    description:
      'paused: nobody is sending it; failed: it is here but could not be published, an empty PATCH at its end tries again.',
  })
  state!: (typeof uploadStates)[number];
  @ApiPropertyOptional({ description: 'Why it failed, in words.' })
  reason?: string;
  @ApiProperty({
    format: 'date-time',
    description: 'It is deleted then unless more of it comes.',
  })
  expiresAt!: string;
}

export class UploadDetailDto extends UploadDto {
  @ApiProperty({ type: [UploadFileDto] }) files!: UploadFileDto[];
}

export class UploadsDto {
  @ApiProperty() total!: number;
  @ApiProperty({ type: [UploadDto] }) items!: UploadDto[];
}
