/** The settings of this node. */
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
