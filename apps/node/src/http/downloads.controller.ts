import {
  Body,
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  ParseBoolPipe,
  Patch,
  Post,
  Query,
  Req,
} from '@nestjs/common';
import {
  ApiBody,
  ApiConsumes,
  ApiCreatedResponse,
  ApiExtraModels,
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiQuery,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { Request } from 'express';
import { Peer } from '../peer/peer';
import {
  DownloadFilesDto,
  LogDto,
  PeersDto,
  PiecesDto,
  SourcesDto,
} from '../peer/dto/download-details.dto';
import {
  AddDownloadDto,
  DownloadOptionsDto,
  DownloadDto,
  DownloadsDto,
  UpdateDownloadDto,
} from '../peer/dto/download.dto';
import { ApiProblems } from './documented';
import { InfoHashPipe } from './info-hash.pipe';
import { readTorrentUpload } from './torrent-upload';
import { validated } from './validated';
import { Uploads } from './uploads';

@ApiTags('downloads')
@ApiExtraModels(AddDownloadDto)
@Controller('downloads')
export class DownloadsController {
  constructor(
    private readonly peer: Peer,
    private readonly uploads: Uploads,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Every download, live and past' })
  @ApiOkResponse({ type: DownloadsDto })
  listDownloads(): Promise<DownloadsDto> {
    return this.peer.downloads();
  }

  @Get(':id')
  @ApiOperation({ summary: 'One download' })
  @ApiOkResponse({ type: DownloadDto })
  @ApiProblems(400, 404)
  getDownload(@Param('id', InfoHashPipe) id: string): Promise<DownloadDto> {
    return this.peer.download(id);
  }

  @Post()
  @ApiOperation({
    summary:
      'Start a download: by info-hash from the catalogue, by magnet link, or by a .torrent',
  })
  @ApiConsumes('application/json', 'multipart/form-data')
  @ApiBody({
    schema: {
      oneOf: [
        { $ref: getSchemaPath(AddDownloadDto) },
        {
          type: 'object',
          required: ['torrent'],
          properties: {
            files: {
              type: 'string',
              description: 'Indexes of the files to download: 0,2,5.',
            },
            sequential: { type: 'boolean' },
            peers: {
              type: 'string',
              description: 'Peers to ask besides those found: host:port,….',
            },
            folder: { type: 'string' },
            torrent: {
              type: 'string',
              format: 'binary',
              description: 'A .torrent of at most 10 MiB.',
            },
          },
        },
      ],
    },
  })
  @ApiCreatedResponse({ type: DownloadDto })
  @ApiProblems(400, 403, 404, 409, 413, 503, 507)
  async addDownload(@Req() request: Request): Promise<DownloadDto> {
    if (request.is('multipart/form-data')) {
      const { torrent, fields } = await readTorrentUpload(request);
      const options = await validated(DownloadOptionsDto, optionsOf(fields));
      return this.peer.add({
        torrent,
        ...options,
        ...(await this.inFolder(options.folder)),
      });
    }
    const wanted = await validated(AddDownloadDto, request.body);
    return this.peer.add({
      ...wanted,
      ...(await this.inFolder(wanted.folder)),
    });
  }

  /** Throws what `Uploads.shared` does for a folder that may not be read. */
  private async inFolder(
    folder: string | undefined,
  ): Promise<{ folder?: string }> {
    if (folder === undefined) return {};
    const { path } = await this.uploads.shared(folder);
    return { folder: path };
  }

  @Post(':id/pause')
  @HttpCode(200)
  @ApiOperation({ summary: 'Stop for now, keeping what is there' })
  @ApiOkResponse({ type: DownloadDto })
  @ApiProblems(400, 404, 409)
  pauseDownload(@Param('id', InfoHashPipe) id: string): Promise<DownloadDto> {
    return this.peer.pause(id);
  }

  @Post(':id/resume')
  @HttpCode(200)
  @ApiOperation({ summary: 'Go on' })
  @ApiOkResponse({ type: DownloadDto })
  @ApiProblems(400, 404, 409)
  resumeDownload(@Param('id', InfoHashPipe) id: string): Promise<DownloadDto> {
    return this.peer.resume(id);
  }

  @Post(':id/cancel')
  @HttpCode(200)
  @ApiOperation({
    summary:
      'Give up: unfinished data is deleted, the entry stays in the history',
  })
  @ApiOkResponse({ type: DownloadDto })
  @ApiProblems(400, 404, 409)
  cancelDownload(@Param('id', InfoHashPipe) id: string): Promise<DownloadDto> {
    return this.peer.cancel(id);
  }

  @Post(':id/retry')
  @HttpCode(200)
  @ApiOperation({ summary: 'Start a failed or cancelled download again' })
  @ApiOkResponse({ type: DownloadDto })
  @ApiProblems(400, 404, 409)
  retryDownload(@Param('id', InfoHashPipe) id: string): Promise<DownloadDto> {
    return this.peer.retry(id);
  }

  @Post(':id/recheck')
  @HttpCode(200)
  @ApiOperation({ summary: 'Verify every piece on the disk' })
  @ApiOkResponse({ type: DownloadDto })
  @ApiProblems(400, 404, 409)
  recheckDownload(@Param('id', InfoHashPipe) id: string): Promise<DownloadDto> {
    return this.peer.recheck(id);
  }

  @Patch(':id')
  @ApiOperation({ summary: 'Limits, file priorities, order' })
  @ApiOkResponse({ type: DownloadDto })
  @ApiProblems(400, 404, 413)
  updateDownload(
    @Param('id', InfoHashPipe) id: string,
    @Body() change: UpdateDownloadDto,
  ): Promise<DownloadDto> {
    return this.peer.update(id, { ...change });
  }

  @Delete(':id')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Forget a download, with its files where `data` is true',
  })
  @ApiQuery({ name: 'data', required: false, type: Boolean })
  @ApiNoContentResponse()
  @ApiProblems(400, 404)
  async removeDownload(
    @Param('id', InfoHashPipe) id: string,
    @Query('data', new ParseBoolPipe({ optional: true })) data?: boolean,
  ): Promise<void> {
    await this.peer.remove(id, data ?? false);
  }

  @Get(':id/files')
  @ApiOperation({ summary: 'Its files, with progress and priority' })
  @ApiOkResponse({ type: DownloadFilesDto })
  @ApiProblems(400, 404)
  getDownloadFiles(
    @Param('id', InfoHashPipe) id: string,
  ): Promise<DownloadFilesDto> {
    return this.peer.files(id);
  }

  @Get(':id/peers')
  @ApiOperation({ summary: 'The peers connected now' })
  @ApiOkResponse({ type: PeersDto })
  @ApiProblems(400, 404)
  getDownloadPeers(@Param('id', InfoHashPipe) id: string): Promise<PeersDto> {
    return this.peer.peers(id);
  }

  @Get(':id/pieces')
  @ApiOperation({ summary: 'The piece map' })
  @ApiOkResponse({ type: PiecesDto })
  @ApiProblems(400, 404)
  getDownloadPieces(@Param('id', InfoHashPipe) id: string): Promise<PiecesDto> {
    return this.peer.pieces(id);
  }

  @Get(':id/log')
  @ApiOperation({
    summary: 'What happened to it since the node was started, the newest first',
  })
  @ApiOkResponse({ type: LogDto })
  @ApiProblems(400, 404)
  getDownloadLog(@Param('id', InfoHashPipe) id: string): Promise<LogDto> {
    return this.peer.journal(id);
  }

  @Get(':id/trackers')
  @ApiOperation({
    summary:
      'Where peers come from: the ring, trackers, local discovery, exchange',
  })
  @ApiOkResponse({ type: SourcesDto })
  @ApiProblems(400, 404)
  getDownloadTrackers(
    @Param('id', InfoHashPipe) id: string,
  ): Promise<SourcesDto> {
    return this.peer.sources(id);
  }
}

/** Form fields are text: lists have commas between their items. */
function optionsOf(
  fields: Readonly<Record<string, string>>,
): Record<keyof DownloadOptionsDto, unknown> {
  const { files, sequential, peers, folder } = fields;
  return {
    files: files?.split(',').map(Number),
    sequential: sequential === undefined ? undefined : sequential === 'true',
    peers: peers?.split(','),
    folder,
  };
}
