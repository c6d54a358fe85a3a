import { Controller, Get } from '@nestjs/common';
import { ApiOkResponse, ApiOperation, ApiTags } from '@nestjs/swagger';
import { Dht } from '../dht/dht';
import { RingDto } from '../dht/dht.dto';
import { ApiProblems } from './documented';

@ApiTags('ring')
@Controller('ring')
export class RingController {
  constructor(private readonly dht: Dht) {}

  @Get()
  @ApiOperation({
    summary:
      "This node's view of the ring: nodes, pointers, keys, replication health",
  })
  @ApiOkResponse({ type: RingDto })
  @ApiProblems(503)
  getRing(): Promise<RingDto> {
    return this.dht.ring();
  }
}
