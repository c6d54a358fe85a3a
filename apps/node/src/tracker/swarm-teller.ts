/**
 * Tells the swarms' owners what clients said here: what is new in the announce table, in batches. What
 * no owner took is told again for ten seconds; an owner that has just died is replaced by then.
 */
import type { AnnounceTable } from '@dnd/tracker';
import type { SwarmQuery, SwarmState } from '../dht/dht';
import { ownAnnounces } from './swarm-bytes';

/** Bytes of announces taken at a time, and how often in one turn: what is more waits for the next one. */
const partBytes = 256 * 1024;
const parts = 8;
/** Swarms in one message. */
const batch = 512;
const maxUntold = 20_000;
const untoldLife = 10_000;

interface Untold extends SwarmQuery {
  readonly since: number;
}

export interface SwarmTellerOptions {
  readonly table: AnnounceTable;
  /** The table's own. */
  readonly origin: number;
  /** Undefined where the ring does not answer. */
  readonly ask: (
    queries: readonly SwarmQuery[],
  ) => Promise<readonly SwarmState[] | undefined>;
  /** The owners' numbers, which come back. */
  readonly heard: (state: SwarmState, now: number) => void;
}

export class SwarmTeller {
  /** Completed downloads counted here that the ring was told of; only of swarms that have any. */
  private readonly told = new Map<string, number>();
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
        const updates = table.changes('local', Date.now(), partBytes);
        if (updates.length === 0) return;
        const queries = updates.map(({ infoHash, bytes }) =>
          this.queryOf(Buffer.from(infoHash), bytes),
        );
        for (let at = 0; at < queries.length; at += batch)
          await this.send(queries.slice(at, at + batch), Date.now());
      }
    } finally {
      this.busy = false;
    }
  }

  /** Swarms that the table has forgotten need not be remembered here. */
  prune(): void {
    for (const swarm of this.told.keys())
      if (this.options.table.version(Buffer.from(swarm, 'hex')) === 0)
        this.told.delete(swarm);
  }

  private queryOf(infoHash: Buffer, update: Uint8Array): SwarmQuery {
    const swarm = infoHash.toString('hex');
    const { peers, completed } = ownAnnounces(update, this.options.origin);
    const before = completed > 0 ? (this.told.get(swarm) ?? 0) : 0;
    if (completed > before) this.told.set(swarm, completed);
    // A swarm that the table has forgotten counts from the beginning when it comes back.
    const more = completed >= before ? completed - before : completed;
    return { swarm, peers, want: 0, completed: more };
  }

  private async send(
    queries: readonly SwarmQuery[],
    since: number,
  ): Promise<void> {
    const { ask, heard } = this.options;
    const states = (await ask(queries)) ?? [];
    const now = Date.now();
    if (states.length < queries.length) {
      const answered = new Set(states.map(({ swarm }) => swarm));
      for (const query of queries)
        if (!answered.has(query.swarm) && this.untold.length < maxUntold)
          this.untold.push({ ...query, since });
    }
    for (const state of states) heard(state, now);
  }

  private async retell(): Promise<void> {
    const { untold } = this;
    this.untold = [];
    const now = Date.now();
    const worth = untold.filter(({ since }) => now - since < untoldLife);
    for (let at = 0; at < worth.length; at += batch) {
      const part = worth.slice(at, at + batch);
      const queries = part.map(({ swarm, peers, want, completed }) => ({
        swarm,
        peers,
        want,
        completed,
      }));
      await this.send(queries, part[0].since);
    }
  }
}
