/**
 * The three seams as injectable contracts, for everybody in this process. Whoever injects `Tracker`
 * gets the client, whose messages go over TCP even when the tracker runs in the same process; so a
 * role can move to another process or machine without a change.
 */
import { Global, Module, type DynamicModule } from '@nestjs/common';
import { Config } from '../config/config';
import { Dht, dhtSeam } from '../dht/dht';
import { Beacons } from '../discovery/beacons';
import { Peer, peerSeam } from '../peer/peer';
import { Tracker, trackerSeam } from '../tracker/tracker';
import { deriveKey } from './psk';
import { seamClient, SeamConnections, type Endpoint } from './seam';

/** Where this process's own seam listener is; set once it listens. */
export class OwnSeam {
  endpoint: Endpoint | undefined;
}

export function seamKey(config: Config): Buffer | undefined {
  return config.secret === undefined
    ? undefined
    : deriveKey(config.secret, 'seam');
}

@Global()
@Module({})
export class SeamsModule {
  static for(config: Config): DynamicModule {
    const own = (seam: OwnSeam): Endpoint[] =>
      seam.endpoint ? [seam.endpoint] : [];
    const inject = [SeamConnections, OwnSeam, Beacons];
    return {
      module: SeamsModule,
      providers: [
        { provide: Config, useValue: config },
        Beacons,
        OwnSeam,
        {
          provide: SeamConnections,
          useFactory: () => new SeamConnections(seamKey(config)),
        },
        {
          provide: Peer,
          inject,
          useFactory: (connections: SeamConnections, seam: OwnSeam) =>
            seamClient(peerSeam, connections, () => own(seam)),
        },
        {
          provide: Tracker,
          inject,
          useFactory: (
            connections: SeamConnections,
            seam: OwnSeam,
            beacons: Beacons,
          ) =>
            seamClient(trackerSeam, connections, () =>
              config.roles.has('tracker') ? own(seam) : beacons.trackers(),
            ),
        },
        {
          provide: Dht,
          inject,
          useFactory: (
            connections: SeamConnections,
            seam: OwnSeam,
            beacons: Beacons,
          ) =>
            seamClient(dhtSeam, connections, () =>
              config.roles.has('dht') ? own(seam) : beacons.trackers(),
            ),
        },
      ],
      exports: [Config, Beacons, OwnSeam, SeamConnections, Peer, Tracker, Dht],
    };
  }
}
