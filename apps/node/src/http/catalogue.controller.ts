import {
  Controller,
  Delete,
  Get,
  HttpCode,
  Param,
  Query,
  Res,
} from '@nestjs/common';
import {
  ApiNoContentResponse,
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiTags,
} from '@nestjs/swagger';
import type { Response } from 'express';
import { Peer } from '../peer/peer';
import { Tracker } from '../tracker/tracker';
import {
  CatalogueDetailDto,
  CatalogueFacetsDto,
  CatalogueFilterDto,
  CataloguePageDto,
  CatalogueQueryDto,
  MagnetDto,
} from '../tracker/tracker.dto';
import { attachment } from './content';
import { ApiProblems } from './documented';
import { InfoHashPipe } from './info-hash.pipe';

@ApiTags('catalogue')
@Controller('catalogue')
export class CatalogueController {
  constructor(
    private readonly tracker: Tracker,
    private readonly peer: Peer,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Every file published on the ring' })
  @ApiOkResponse({ type: CataloguePageDto })
  @ApiProblems(400, 503)
  listCatalogue(@Query() query: CatalogueQueryDto): Promise<CataloguePageDto> {
    return this.tracker.search({ ...query });
  }

  @Get('facets')
  @ApiOperation({
    summary: 'How many entries there are of each kind, publisher and health',
    description: 'Each filter narrows the others, not its own figures.',
  })
  @ApiOkResponse({ type: CatalogueFacetsDto })
  @ApiProblems(400, 503)
  getCatalogueFacets(
    @Query() filter: CatalogueFilterDto,
  ): Promise<CatalogueFacetsDto> {
    return this.tracker.facets({ ...filter });
  }

  @Get(':infoHash')
  @ApiOperation({ summary: 'One entry with its files' })
  @ApiOkResponse({ type: CatalogueDetailDto })
  @ApiProblems(400, 404, 503)
  getCatalogueEntry(
    @Param('infoHash', InfoHashPipe) infoHash: string,
  ): Promise<CatalogueDetailDto> {
    return this.tracker.detail(infoHash);
  }

  @Get(':infoHash/torrent')
  @ApiOperation({
    summary: 'The .torrent, with the announce addresses of several live nodes',
  })
  @ApiProduces('application/x-bittorrent')
  @ApiOkResponse({ schema: { type: 'string', format: 'binary' } })
  @ApiProblems(400, 404, 503)
  async getTorrent(
    @Param('infoHash', InfoHashPipe) infoHash: string,
    @Res() response: Response,
  ): Promise<void> {
    const [detail, torrent] = await Promise.all([
      this.tracker.detail(infoHash),
      this.tracker.torrent(infoHash),
    ]);
    response
      .type('application/x-bittorrent')
      .set('Content-Disposition', attachment(`${detail.name}.torrent`))
      .send(Buffer.from(torrent));
  }

  @Get(':infoHash/magnet')
  @ApiOperation({ summary: 'The magnet link' })
  @ApiOkResponse({ type: MagnetDto })
  @ApiProblems(400, 404, 503)
  async getMagnet(
    @Param('infoHash', InfoHashPipe) infoHash: string,
  ): Promise<MagnetDto> {
    return { magnet: (await this.tracker.detail(infoHash)).magnet };
  }

  @Delete(':infoHash')
  @HttpCode(204)
  @ApiOperation({
    summary: 'Withdraw what this node published; its file stays in the library',
  })
  @ApiNoContentResponse()
  @ApiProblems(400, 403, 404, 503)
  async withdraw(
    @Param('infoHash', InfoHashPipe) infoHash: string,
  ): Promise<void> {
    await this.peer.withdraw(infoHash);
  }
}
