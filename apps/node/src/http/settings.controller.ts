import { Body, Controller, Get, Inject, Patch } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { statfs } from 'node:fs/promises';
import { Config } from '../config/config';
import { Peer } from '../peer/peer';
import { SettingsDto, UpdateSettingsDto } from '../peer/dto/settings.dto';
import { ApiProblems } from './documented';
import { NodePorts } from './node-ports';
import { FoldersDto, PortsDto, UpdatePortsDto } from './settings.dto';

@ApiTags('settings')
@Controller('settings')
export class SettingsController {
  constructor(
    private readonly peer: Peer,
    private readonly ports: NodePorts,
    @Inject(Config) private readonly config: Config,
  ) {}

  @Get()
  @ApiOperation({ summary: 'Limits and their schedule, goals, name' })
  @ApiOkResponse({ type: SettingsDto })
  getSettings(): Promise<SettingsDto> {
    return this.peer.settings();
  }

  @Patch()
  @ApiOperation({ summary: 'Change some of them; they outlive a restart' })
  @ApiOkResponse({ type: SettingsDto })
  @ApiProblems(400, 413)
  changeSettings(@Body() change: UpdateSettingsDto): Promise<SettingsDto> {
    return this.peer.changeSettings({ ...change });
  }

  @Get('ports')
  @ApiOperation({ summary: 'Ports listened on, now and after the next start' })
  @ApiOkResponse({ type: PortsDto })
  getPorts(): PortsDto {
    const items = this.ports.list();
    return { total: items.length, items };
  }

  @Patch('ports')
  @ApiOperation({
    summary: 'Choose ports for the next start',
    description:
      'One that is taken then gives way to the next free one. Ports that were given as flags stay as they are: 409.',
  })
  @ApiOkResponse({ type: PortsDto })
  @ApiProblems(400, 409)
  changePorts(@Body() change: UpdatePortsDto): PortsDto {
    this.ports.change({ ...change });
    return this.getPorts();
  }

  @Get('folders')
  @ApiOperation({
    summary: 'Where the files of this node lie, and the room there',
  })
  @ApiOkResponse({ type: FoldersDto })
  async getFolders(): Promise<FoldersDto> {
    const { storage, shares } = this.config;
    const { bavail, blocks, bsize } = await statfs(storage);
    return {
      storage,
      freeBytes: bavail * bsize,
      totalBytes: blocks * bsize,
      shares: [...shares],
    };
  }
}
