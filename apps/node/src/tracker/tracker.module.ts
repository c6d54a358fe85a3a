import { Module } from '@nestjs/common';
import { seamController } from '../rpc/seam';
import { CatalogueCounts } from './catalogue-counts';
import { CatalogueSync } from './catalogue-sync';
import { Clients } from './clients';
import { RingTracker } from './ring-tracker';
import { Swarms } from './swarms';
import { trackerSeam } from './tracker';
import { TrackerDirectory } from './tracker-directory';
import { TrackerServers } from './tracker-servers';

@Module({
  controllers: [seamController(trackerSeam, RingTracker)],
  providers: [
    CatalogueCounts,
    CatalogueSync,
    Clients,
    RingTracker,
    Swarms,
    TrackerDirectory,
    TrackerServers,
  ],
})
export class TrackerModule {}
