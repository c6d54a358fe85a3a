/**
 * Tells the swarms' owners what clients said here: what is new in the announce table, in batches. What
 * no owner took is told again for ten seconds; an owner that has just died is replaced by then.
 */
import type { AnnounceTable } from '@dnd/tracker';
import {
  countAnswers,
  packPuts,
  unpackAnswers,
  type SwarmPut,
} from '@dnd/records';
import { ToldSwarms } from './swarm-bytes';

/** Announces taken at a time, and how often in one turn: what is more waits for the next one. */
const partPeers = 6_000;
const parts = 8;
/** Swarms in one message. */
const batch = 512;
const maxUntold = 20_000;
const untoldLife = 10_000;

interface Untold extends SwarmPut {
  readonly since: number;
}

export interface SwarmTellerOptions {
  readonly table: AnnounceTable;
  /** Takes what `packPuts` makes and resolves to packed answers, none where the ring does not answer. */
  readonly ask: (puts: Uint8Array) => Promise<Uint8Array>;
  /** The owners' numbers, which come back. */
  readonly heard: (answers: Uint8Array) => void;
  /** Milliseconds by a clock that is never set back. */
  readonly now: () => number;
}

export class SwarmTeller {
  private untold: Untold[] = [];
  private busy = false;

  constructor(private readonly options: SwarmTellerOptions) {}

  async tell(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      await this.retell();
      for (let part = 0; part < parts; part++) {
        const { table } = this.options;
        const told = new ToldSwarms();
        if (table.changes(told, this.options.now(), partPeers) === 0) return;
        const queries = told.take();
        for (let at = 0; at < queries.length; at += batch)
          await this.send(queries.slice(at, at + batch), this.options.now());
      }
    } finally {
      this.busy = false;
    }
  }

  private async send(
    queries: readonly SwarmPut[],
    since: number,
  ): Promise<void> {
    const { ask, heard } = this.options;
    const answers = await ask(packPuts(queries));
    if (countAnswers(answers) < queries.length) {
      const answered = new Set(
        unpackAnswers(answers).map(({ swarm }) => swarm),
      );
      for (const query of queries)
        if (!answered.has(query.swarm) && this.untold.length < maxUntold)
          this.untold.push({ ...query, since });
    }
    heard(answers);
  }

  private async retell(): Promise<void> {
    const { untold } = this;
    this.untold = [];
    const now = this.options.now();
    const worth = untold.filter(({ since }) => now - since < untoldLife);
    for (let at = 0; at < worth.length; at += batch) {
      const part = worth.slice(at, at + batch);
      await this.send(part, part[0].since);
    }
  }
}
