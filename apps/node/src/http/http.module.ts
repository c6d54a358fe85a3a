import { Module } from '@nestjs/common';
import { Config } from '../config/config';
import { CatalogueController } from './catalogue.controller';
import { DownloadsController } from './downloads.controller';
import { EventHub } from './event-hub';
import { EventsController } from './events.controller';
import { SESSIONS } from './gate';
import { HealthController } from './health.controller';
import { LibraryController } from './library.controller';
import { MetricsController } from './metrics.controller';
import { NodePorts } from './node-ports';
import { PublicationsController } from './publications.controller';
import { RingController } from './ring.controller';
import { Sessions } from './session';
import { SessionController } from './session.controller';
import { SessionsController } from './sessions.controller';
import { SettingsController } from './settings.controller';
import { TrackerController } from './tracker.controller';
import { ResumableUploads } from './resumable-uploads';
import { Uploads } from './uploads';
import { UploadsController } from './uploads.controller';

/** REST, events and sign-in. It reaches the peer, the tracker and the ring through their seams only. */
@Module({
  controllers: [
    CatalogueController,
    DownloadsController,
    EventsController,
    HealthController,
    LibraryController,
    MetricsController,
    PublicationsController,
    RingController,
    SessionController,
    SessionsController,
    SettingsController,
    TrackerController,
    UploadsController,
  ],
  providers: [
    EventHub,
    NodePorts,
    ResumableUploads,
    Uploads,
    {
      provide: SESSIONS,
      inject: [Config],
      useFactory: (config: Config) =>
        config.signIn ? Sessions.open(config.storage, config.password) : null,
    },
  ],
})
export class HttpModule {}
