import {
  Body,
  Controller,
  Delete,
  Get,
  Headers,
  HttpCode,
  HttpException,
  Param,
  ParseUUIDPipe,
  Patch,
  Post,
  Req,
  Res,
} from '@nestjs/common';
import {
  ApiBody,
  ApiConsumes,
  ApiCreatedResponse,
  ApiHeader,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
} from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { SeamError } from '../rpc/seam-error';
import { ApiProblems } from './documented';
import { ResumableUploads } from './resumable-uploads';
import {
  CreateUploadDto,
  UploadDetailDto,
  UploadDto,
  UploadsDto,
} from './upload.dto';

const offsetHeader = {
  'Upload-Offset': {
    description: 'Bytes that are here.',
    schema: { type: 'integer' },
  },
} as const;
const bodyType = 'application/offset+octet-stream';

@ApiTags('uploads')
@Controller('uploads')
export class UploadsController {
  constructor(private readonly uploads: ResumableUploads) {}

  @Get()
  @ApiOperation({ summary: 'Unfinished uploads' })
  @ApiOkResponse({ type: UploadsDto })
  listUploads(): UploadsDto {
    const items = this.uploads.list();
    return { total: items.length, items };
  }

  @Post()
  @ApiOperation({
    summary: 'Begin an upload that can be paused and gone on with',
    description:
      'Says what will come; the bytes of all files, one after the other in this order, are then sent by PATCH. When all are here it is published by itself (its progress: `publication` events and the list of publications, under the same id). At most 64 are unfinished at a time, each for at most 7 days after its last byte. A request with the `id` of an unfinished upload of the same files answers how far that is; 409 when the id belongs to other files or was published.',
  })
  @ApiCreatedResponse({
    type: UploadDto,
    headers: {
      Location: { description: 'Its address.', schema: { type: 'string' } },
      ...offsetHeader,
    },
  })
  @ApiProblems(400, 409, 413, 503, 507)
  async createUpload(
    @Body() body: CreateUploadDto,
    @Res({ passthrough: true }) response: Response,
  ): Promise<UploadDto> {
    const upload = await this.uploads.create(body);
    response.set('Location', `/api/uploads/${upload.id}`);
    tellOffset(response, upload.offset);
    return upload;
  }

  @Get(':upload')
  @ApiOperation({
    summary: 'How far an upload is, and of which files',
    description:
      'HEAD gives the header Upload-Offset alone: from there on it goes on.',
  })
  @ApiOkResponse({ type: UploadDetailDto, headers: offsetHeader })
  @ApiProblems(400, 404)
  getUpload(
    @Param('upload', ParseUUIDPipe) id: string,
    @Res({ passthrough: true }) response: Response,
  ): UploadDetailDto {
    const upload = this.uploads.detail(id);
    tellOffset(response, upload.offset);
    response.set('Upload-Length', String(upload.size));
    return upload;
  }

  @Patch(':upload')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Send the next bytes of an upload',
    description:
      'As in the core protocol of tus 1.0: the body are the bytes from Upload-Offset on, as many as the sender likes. What arrived before a broken connection stays; HEAD tells how much. Another request for the same upload ends the first. 409 with the right Upload-Offset when it goes on elsewhere.',
  })
  @ApiConsumes(bodyType)
  @ApiHeader({
    name: 'Upload-Offset',
    required: true,
    schema: { type: 'integer' },
  })
  @ApiBody({ schema: { type: 'string', format: 'binary' } })
  @ApiNoContentResponse({ headers: offsetHeader })
  @ApiProblems(400, 404, 409, 413, 415, 507)
  async sendUpload(
    @Param('upload', ParseUUIDPipe) id: string,
    @Req() request: Request,
    @Res({ passthrough: true }) response: Response,
    @Headers('upload-offset') offset?: string,
  ): Promise<void> {
    if (!request.is(bodyType))
      throw new HttpException(`the body must be of type ${bodyType}`, 415);
    if (!/^\d{1,16}$/.test(offset ?? ''))
      throw new SeamError(
        'bad-input',
        'the header Upload-Offset must say where the bytes belong',
      );
    try {
      await this.uploads.append(id, Number(offset), request);
    } finally {
      tellOffset(response, this.uploads.offsetOf(id));
    }
  }

  @Delete(':upload')
  @HttpCode(204)
  @ApiOperation({ summary: 'Give up an upload and delete what is here of it' })
  @ApiNoContentResponse()
  @ApiProblems(400, 404, 409)
  discardUpload(@Param('upload', ParseUUIDPipe) id: string): Promise<void> {
    return this.uploads.discard(id);
  }
}

function tellOffset(response: Response, offset: number | undefined): void {
  response.set({ 'Tus-Resumable': '1.0.0', 'Cache-Control': 'no-store' });
  if (offset !== undefined) response.set('Upload-Offset', String(offset));
}
