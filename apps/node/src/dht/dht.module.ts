import { Module } from '@nestjs/common';
import { IdentityModule } from '../identity.module';
import { seamController } from '../rpc/seam';
import { dhtSeam } from './dht';
import { RingDht } from './ring-dht';
import { RingMessages } from './ring.controller';
import { RingNode } from './ring-node';

@Module({
  imports: [IdentityModule],
  controllers: [RingMessages, seamController(dhtSeam, RingDht)],
  providers: [RingNode, RingDht],
})
export class DhtModule {}
