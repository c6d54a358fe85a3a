import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import {
  ApiHeader,
  ApiOkResponse,
  ApiOperation,
  ApiParam,
  ApiProduces,
  ApiResponse,
  ApiTags,
} from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { Peer } from '../peer/peer';
import { LibraryDto } from '../peer/dto/library.dto';
import { ApiProblems } from './documented';
import { sendFile } from './file-stream';
import { InfoHashPipe } from './info-hash.pipe';

@ApiTags('library')
@Controller('library')
export class LibraryController {
  constructor(private readonly peer: Peer) {}

  @Get()
  @ApiOperation({ summary: 'What this node published or finished downloading' })
  @ApiOkResponse({ type: LibraryDto })
  listLibrary(): Promise<LibraryDto> {
    return this.peer.library();
  }

  @Get(':infoHash/files/*path')
  @ApiOperation({
    summary: 'The bytes of one file, with Range',
    description:
      'Also while it is still downloading: verified bytes are sent as they arrive, those asked for first.',
  })
  @ApiParam({
    name: 'path',
    description: 'As in the list of files; parts joined by "/".',
  })
  @ApiHeader({ name: 'Range', required: false })
  @ApiProduces('application/octet-stream')
  @ApiOkResponse({ schema: { type: 'string', format: 'binary' } })
  @ApiResponse({
    status: 206,
    description: 'The range asked for.',
    schema: { type: 'string', format: 'binary' },
  })
  @ApiProblems(400, 404, 416, 503)
  async readFile(
    @Param('infoHash', InfoHashPipe) infoHash: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const path = request.params['path'] as unknown as string | string[];
    await sendFile(
      this.peer,
      infoHash,
      Array.isArray(path) ? path.join('/') : path,
      request,
      response,
    );
  }
}
