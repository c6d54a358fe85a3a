/**
 * Seeders and leechers of the catalogue's entries: those of a page that is looked at are as of the
 * last seconds, where the ring answers soon enough; the others are gone through bit by bit, so that
 * the order by seeders is right too.
 */
import { Injectable } from '@nestjs/common';
import { every } from '../beat';
import { CatalogueSync } from './catalogue-sync';
import { Swarms } from './swarms';

/** Milliseconds: older counts of a page are asked for again. */
const freshFor = 4_000;
/** A page waits at most so long for them. */
const patience = 400;
/** So many entries are gone through each period, milliseconds. */
const walk = { period: 2_000, entries: 256 };
/** Info-hashes in one question. */
const batch = 512;

@Injectable()
export class CatalogueCounts {
  private endWalk = (): void => undefined;
  private position = 0;
  private asking = false;

  constructor(
    private readonly catalogue: CatalogueSync,
    private readonly swarms: Swarms,
  ) {}

  start(): void {
    this.endWalk = every(walk.period, () => void this.step());
  }

  stop(): void {
    this.endWalk();
  }

  /** Resolves when the counts of these entries are fresh, or the wait is over. */
  async refresh(infoHashes: readonly string[]): Promise<void> {
    const { index } = this.catalogue;
    const oldest = this.swarms.clock.now() - freshFor;
    const old = infoHashes.filter((hash) => index.countsOf(hash).at < oldest);
    if (old.length === 0) return;
    let timer: NodeJS.Timeout | undefined;
    const over = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, patience);
    });
    await Promise.race([this.ask(old), over]);
    clearTimeout(timer);
  }

  private async step(): Promise<void> {
    if (this.asking) return;
    this.asking = true;
    const { hashes, next } = this.catalogue.index.walk(
      this.position,
      walk.entries,
    );
    this.position = next;
    await this.ask(hashes);
    this.asking = false;
  }

  private async ask(infoHashes: readonly string[]): Promise<void> {
    const { index } = this.catalogue;
    for (let at = 0; at < infoHashes.length; at += batch) {
      const part = infoHashes.slice(at, at + batch);
      const states = await this.swarms.glanceAt(part);
      const now = this.swarms.clock.now();
      for (const { swarm, seeds: seeders, leechers } of states)
        index.setCounts(swarm, { seeders, leechers, at: now });
    }
  }
}
