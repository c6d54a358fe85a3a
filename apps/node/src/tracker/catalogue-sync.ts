/**
 * Keeps this tracker's copy of the catalogue in step with the partitions on the ring: each second it
 * asks their owners whether anything is new, and if so what since the version it has. What was kept and
 * much news are taken in bit by bit, so that the tracker answers meanwhile.
 */
import type { Heard } from '@dnd/records';
import { Inject, Injectable, Logger } from '@nestjs/common';
import { setImmediate } from 'node:timers/promises';
import { every } from '../beat';
import { Config } from '../config/config';
import { Dht, type PlaceState } from '../dht/dht';
import { Catalogue, type CatalogueItem } from './catalogue';
import { cataloguePlaces } from './places';

/** Milliseconds between two rounds; longer after much news, so that taking it in never takes more than a quarter of the time. */
const period = 1_000;
const share = 3;
/** However long their owners say that nothing is new, the partitions are asked of again: owners change. */
const pollAge = 10_000;
/** Entries taken in at a time. */
const slice = 50;
/** Milliseconds between two words about what has been read so far. */
const tellPeriod = 500;

@Injectable()
export class CatalogueSync {
  readonly index: Catalogue;
  /** What was kept is still being read in: there is more than can be found so far. */
  reading = true;
  private readonly log = new Logger('Catalogue');
  private readonly versions: Map<string, string>;
  private waiting: (() => void)[] = [];
  private endRounds = (): void => undefined;
  private busy = false;
  private restUntil = 0;
  private heard: readonly Heard[] = [];
  private polledAt = 0;
  private running = false;
  private complained = false;

  constructor(
    @Inject(Config) config: Config,
    private readonly dht: Dht,
  ) {
    this.index = new Catalogue(config.storage);
    this.versions = this.index.versions();
  }

  /** Nobody waits until all that was kept is read in: meanwhile what has been read is found. */
  start(): void {
    this.running = true;
    void this.readIn();
  }

  stop(): void {
    this.running = false;
    this.endRounds();
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

  /** Some entries ahead of the next comparison with the ring. */
  apply(place: string, items: readonly CatalogueItem[]): void {
    this.index.apply(place, items);
    this.announce();
  }

  /** Tells those who wait that something is new. */
  announce(): void {
    for (const resolve of this.waiting.splice(0)) resolve();
  }

  private async readIn(): Promise<void> {
    let told = performance.now();
    try {
      await this.index.load(async () => {
        await this.pause();
        if (performance.now() - told < tellPeriod) return;
        told = performance.now();
        this.announce();
      });
    } catch (error) {
      if (this.running)
        this.log.error(
          `the kept catalogue cannot be read: ${(error as Error).message}`,
        );
    }
    this.reading = false;
    if (!this.running) return;
    this.announce();
    this.endRounds = every(period, () => void this.round());
    await this.round();
  }

  private async round(): Promise<void> {
    if (this.busy || performance.now() < this.restUntil) return;
    this.busy = true;
    try {
      if (!(await this.isNews())) return;
      const places = cataloguePlaces.map((place) => {
        const version = this.versions.get(place);
        return version === undefined ? { place } : { place, version };
      });
      const { states, heard } = await this.dht.poll('catalogue', places);
      const began = performance.now();
      this.heard = [];
      for (const state of states) await this.takeIn(state);
      if (this.running && this.index.isWasteful)
        await this.index.load(() => this.pause());
      if (states.length > 0) this.announce();
      this.heard = heard;
      const ended = (this.polledAt = performance.now());
      this.restUntil = ended + (ended - began) * share;
      this.complained = false;
    } catch (error) {
      if (!this.complained && this.running)
        this.log.warn(
          `not in step with the ring: ${(error as Error).message}; the catalogue is shown as last known`,
        );
      this.complained = true;
    } finally {
      this.busy = false;
    }
  }

  /** Would a poll bring anything? */
  private async isNews(): Promise<boolean> {
    const { heard, polledAt } = this;
    if (heard.length === 0 || performance.now() - polledAt >= pollAge)
      return true;
    return !(await this.dht.same('catalogue', heard));
  }

  private async takeIn(state: PlaceState): Promise<void> {
    const { place, version, complete, items } = state;
    for (let at = 0; at < items.length; at += slice) {
      if (!this.running) return;
      this.index.apply(place, items.slice(at, at + slice));
      await this.pause();
    }
    if (!this.running) return;
    if (complete) this.index.keepOnly(place, items);
    this.index.reached(place, version);
    this.versions.set(place, version);
  }

  /** Whoever waits for an answer comes first. Rejects once it has been stopped. */
  private async pause(): Promise<void> {
    await setImmediate();
    if (!this.running) throw new Error('stopped');
  }
}
