/** Trackers with their real listeners on a ring in memory, for specs. */
import { Config } from '../config/config';
import { CatalogueCounts } from './catalogue-counts';
import { CatalogueSync } from './catalogue-sync';
import { Clients } from './clients';
import { MemoryRing, type MemoryDht } from './memory-ring.contract';
import { RingTracker } from './ring-tracker';
import { Swarms } from './swarms';
import { TrackerDirectory } from './tracker-directory';
import { TrackerServers } from './tracker-servers';

export interface SceneTracker {
  readonly dht: MemoryDht;
  readonly servers: TrackerServers;
  readonly swarms: Swarms;
  readonly tracker: RingTracker;
  readonly catalogue: CatalogueSync;
  readonly port: number;
}

export class TrackerScene {
  readonly ring = new MemoryRing();
  private readonly started: TrackerServers[] = [];

  async start(flags: Partial<Config> = {}): Promise<SceneTracker> {
    const config = Object.assign(new Config(), {
      host: '127.0.0.1',
      advertise: '127.0.0.1',
      storage: ':memory:',
      ring: 'spec',
      trackerPort: { port: 0, exact: false },
      trustedProxies: [],
      ...flags,
    });
    const dht = this.ring.node();
    const swarms = new Swarms(dht);
    const directory = new TrackerDirectory(config, dht);
    const catalogue = new CatalogueSync(config, dht);
    const counts = new CatalogueCounts(catalogue, swarms);
    const servers = new TrackerServers(
      config,
      swarms,
      directory,
      catalogue,
      counts,
    );
    const tracker = new RingTracker(
      dht,
      catalogue,
      swarms,
      directory,
      servers,
      counts,
      new Clients(dht),
    );
    await servers.start();
    this.started.push(servers);
    const { port } = servers;
    return { dht, servers, swarms, tracker, catalogue, port };
  }

  async stop(): Promise<void> {
    await Promise.all(this.started.splice(0).map((each) => each.stop()));
  }
}

/** Asks again and again until the answer is as wanted; the last error tells what was missing. */
export async function until<T>(
  ask: () => Promise<T>,
  wanted: (answer: T) => boolean,
  milliseconds = 20_000,
): Promise<number> {
  const began = performance.now();
  for (;;) {
    const answer = await ask();
    const took = performance.now() - began;
    if (wanted(answer)) return took;
    if (took > milliseconds)
      throw new Error(`after ${milliseconds} ms: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
