import { Controller } from '@nestjs/common';
import { MessagePattern, Payload } from '@nestjs/microservices';
import { RING } from '../rpc/listener';
import { RingNode } from './ring-node';

/** What other nodes of the ring may say to this one; answered on the ring listener only. */
@Controller()
export class RingMessages {
  constructor(private readonly node: RingNode) {}

  @MessagePattern('ring.chord', RING)
  chord(@Payload() data: unknown): Promise<unknown> {
    return this.node.receive('chord', data);
  }

  @MessagePattern('ring.records', RING)
  records(@Payload() data: unknown): Promise<unknown> {
    return this.node.receive('records', data);
  }
}
