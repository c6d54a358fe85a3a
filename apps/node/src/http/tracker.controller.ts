import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Tracker } from '../tracker/tracker';
import { TrackerStatusDto } from '../tracker/tracker.dto';
import { ApiProblems } from './documented';

@ApiTags('tracker')
@Controller('tracker')
export class TrackerController {
  constructor(private readonly tracker: Tracker) {}

  @Get()
  @ApiOperation({
    summary:
      'What the tracker does: announces, swarms, latency, errors; this node and the ring',
  })
  @ApiOkResponse({ type: TrackerStatusDto })
  @ApiProblems(503)
  getTracker(): Promise<TrackerStatusDto> {
    return this.tracker.status();
  }
}
