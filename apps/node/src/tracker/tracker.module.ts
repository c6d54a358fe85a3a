import { Module } from '@nestjs/common';
import { seamController } from '../rpc/seam';
import { CatalogueSync } from './catalogue-sync';
import { RingTracker } from './ring-tracker';
import { Swarms } from './swarms';
import { trackerSeam } from './tracker';
import { TrackerDirectory } from './tracker-directory';
import { TrackerServers } from './tracker-servers';

@Module({
  controllers: [seamController(trackerSeam, RingTracker)],
  providers: [
    CatalogueSync,
    RingTracker,
    Swarms,
    TrackerDirectory,
    TrackerServers,
  ],
})
export class TrackerModule {}
