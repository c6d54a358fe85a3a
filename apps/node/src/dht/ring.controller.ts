import { parseAddress } from '@dnd/tracker';
import { Controller } from '@nestjs/common';
import {
  Ctx,
  MessagePattern,
  Payload,
  type TcpContext,
} from '@nestjs/microservices';
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
  records(
    @Payload() data: unknown,
    @Ctx() context: TcpContext,
  ): Promise<unknown> {
    const { remoteAddress } = context.getSocketRef().socket;
    return this.node.receive('records', data, sourceOf(remoteAddress ?? ''));
  }
}

/** An address as limits are kept by it, in hex: of an IPv6 address the 64 bits that its holder did not choose himself. */
export function sourceOf(address: string): string {
  const bytes = Buffer.alloc(16);
  const length = parseAddress(address, bytes);
  return bytes.toString('hex', 0, Math.min(length, 8));
}
