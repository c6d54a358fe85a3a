/** Keeps this tracker's index in step with the catalogue's partitions on the ring: each second it asks their owners what is new. */
import { Inject, Injectable, Logger } from '@nestjs/common';
import { Config } from '../config/config';
import { Dht, type PlaceState } from '../dht/dht';
import { Catalogue } from './catalogue';
import { cataloguePlaces } from './places';
import { decodeEntry, type Entry } from './values';

/** Milliseconds between two rounds; longer where a round takes long, so that it never takes more than a third of the time. */
const period = 1_000;
const share = 3;

@Injectable()
export class CatalogueSync {
  readonly index: Catalogue;
  private readonly log = new Logger('Catalogue');
  private readonly versions: Map<string, string>;
  private waiting: (() => void)[] = [];
  private timer: NodeJS.Timeout | undefined;
  private running = false;
  private complained = false;

  constructor(
    @Inject(Config) config: Config,
    private readonly dht: Dht,
  ) {
    this.index = new Catalogue(config.storage);
    this.versions = this.index.versions();
  }

  async start(): Promise<void> {
    this.running = true;
    await this.round();
  }

  stop(): void {
    this.running = false;
    clearTimeout(this.timer);
    this.announce();
    this.index.close();
  }

  /** Resolves when the index is no longer at `version`, or after `patience` milliseconds. */
  async changed(version: number, patience: number): Promise<number> {
    if (this.index.version === version) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, patience);
        this.waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    return this.index.version;
  }

  /** Tells those who wait that something is new. */
  announce(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  private async round(): Promise<void> {
    const began = Date.now();
    try {
      const places = cataloguePlaces.map((place) => {
        const version = this.versions.get(place);
        return version === undefined ? { place } : { place, version };
      });
      const states = await this.dht.poll('catalogue', places);
      if (!this.running) return;
      for (const state of states) this.takeIn(state);
      if (states.length > 0) this.announce();
      this.complained = false;
    } catch (error) {
      if (!this.complained && this.running)
        this.log.warn(
          `the ring does not answer: ${(error as Error).message}; the catalogue is shown as last known`,
        );
      this.complained = true;
    }
    if (this.running)
      this.timer = setTimeout(
        () => void this.round(),
        Math.max(period, (Date.now() - began) * share),
      );
  }

  private takeIn({ place, version, complete, items }: PlaceState): void {
    const entries: Entry[] = [];
    const deleted: string[] = [];
    for (const { item, value } of items) {
      if (value === null) deleted.push(item);
      else entries.push(decodeEntry(value));
    }
    this.index.apply(place, version, { entries, deleted, complete });
    this.versions.set(place, version);
  }
}
