import { Body, Controller, Get, Patch } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Peer } from '../peer/peer';
import { SettingsDto, UpdateSettingsDto } from '../peer/peer.dto';
import { ApiProblems } from './documented';

@ApiTags('settings')
@Controller('settings')
export class SettingsController {
  constructor(private readonly peer: Peer) {}

  @Get()
  @ApiOperation({ summary: 'Limits, goals, name' })
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
}
