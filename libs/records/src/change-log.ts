/**
 * Which swarms have changed, in the order in which they did: whoever knows them as of a revision is told
 * the changes since instead of being asked what it knows. Bounded: who was away for too long is told so.
 */
import type { RingId } from '@dnd/chord';

const MAX_CHANGES = 16_384;

/** How often what a node keeps has changed; `epoch` tells apart what it kept before and after a start. */
export interface Revision {
  readonly epoch: number;
  readonly revision: number;
}

export class ChangeLog {
  private readonly changes: RingId[] = [];
  private revision = 0;

  /** `epoch` is 32 random bits. */
  constructor(private readonly epoch: number) {}

  get now(): Revision {
    return { epoch: this.epoch, revision: this.revision };
  }

  note(swarm: RingId): void {
    this.changes[this.revision++ % MAX_CHANGES] = swarm;
  }

  /** The swarms that have changed since; undefined where they are more than `most` or not known any more. */
  since({ epoch, revision }: Revision, most: number): RingId[] | undefined {
    const count = this.revision - revision;
    if (epoch !== this.epoch || count < 0 || count > MAX_CHANGES)
      return undefined;
    const swarms = new Set<RingId>();
    for (let at = revision; at < this.revision; at++) {
      swarms.add(this.changes[at % MAX_CHANGES] as RingId);
      if (swarms.size > most) return undefined;
    }
    return [...swarms];
  }
}
