import { Controller, Get, Post, Req } from '@nestjs/common';
import {
  ApiBody,
  ApiConsumes,
  ApiCreatedResponse,
  ApiExtraModels,
  ApiOkResponse,
  ApiOperation,
  ApiTags,
  getSchemaPath,
} from '@nestjs/swagger';
import type { Request } from 'express';
import { Peer } from '../peer/peer';
import {
  PublicationDto,
  PublicationsDto,
  PublishPathDto,
} from '../peer/dto/publication.dto';
import { ApiProblems } from './documented';
import { ResumableUploads } from './resumable-uploads';
import { Uploads } from './uploads';
import { validated } from './validated';

@ApiTags('publications')
@ApiExtraModels(PublishPathDto)
@Controller('publications')
export class PublicationsController {
  constructor(
    private readonly peer: Peer,
    private readonly uploads: Uploads,
    private readonly resumable: ResumableUploads,
  ) {}

  @Get()
  @ApiOperation({
    summary: 'Publications of this node since it started, with their progress',
  })
  @ApiOkResponse({ type: PublicationsDto })
  async listPublications(): Promise<PublicationsDto> {
    const receiving = [
      ...this.uploads.receiving(),
      ...this.resumable.publications(),
    ];
    const { items } = await this.peer.publications();
    return {
      total: receiving.length + items.length,
      items: [...receiving, ...items],
    };
  }

  @Post()
  @ApiOperation({
    summary: 'Publish a file or a folder',
    description:
      'Multipart: text parts first (name, comment, private, pieceLength, format, id), then one part `files` a file, whose filename may be a relative path. Or JSON with a path below a share root. Answers when the .torrent is made and stored on the ring. For uploads that can be paused: POST /api/uploads.',
  })
  @ApiConsumes('multipart/form-data', 'application/json')
  @ApiBody({
    schema: {
      oneOf: [
        {
          type: 'object',
          required: ['files'],
          properties: {
            name: { type: 'string', maxLength: 255 },
            comment: { type: 'string', maxLength: 4096 },
            private: { type: 'boolean' },
            pieceLength: { type: 'integer' },
            format: { type: 'string', enum: ['v1', 'v2', 'hybrid'] },
            id: {
              type: 'string',
              description:
                'A name for this upload in the events, chosen by the sender.',
            },
            files: {
              type: 'array',
              items: { type: 'string', format: 'binary' },
            },
          },
        },
        { $ref: getSchemaPath(PublishPathDto) },
      ],
    },
  })
  @ApiCreatedResponse({ type: PublicationDto })
  @ApiProblems(400, 403, 404, 409, 413, 503, 507)
  async publish(@Req() request: Request): Promise<PublicationDto> {
    if (request.is('multipart/form-data'))
      return this.peer.publish(await this.uploads.receive(request));
    const { path, ...options } = await validated(PublishPathDto, request.body);
    return this.peer.publish({
      ...options,
      ...(await this.uploads.shared(path)),
    });
  }
}
