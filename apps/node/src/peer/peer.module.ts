import { Module } from '@nestjs/common';
import { IdentityModule } from '../identity.module';
import { seamController } from '../rpc/seam';
import { LocalPeer } from './local-peer';
import { peerSeam } from './peer';
import { PeerEngine } from './peer-engine';
import { Publisher } from './publishing/publisher';

@Module({
  imports: [IdentityModule],
  controllers: [seamController(peerSeam, LocalPeer)],
  providers: [LocalPeer, PeerEngine, Publisher],
})
export class PeerModule {}
