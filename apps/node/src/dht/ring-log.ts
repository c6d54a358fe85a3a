/** What people are told of the ring: which nodes come and go, and why something failed. */
import type { NodeRef, RingEvent } from '@dnd/chord';
import type { FailureCode } from '@dnd/records';
import { Logger } from '@nestjs/common';

/** Nodes remembered of which the log says that they do not answer. */
const maxSilent = 1_024;

export class RingLog extends Logger {
  private readonly silent = new Set<string>();

  constructor(private readonly ownId: () => string) {
    super('Ring');
  }

  tell(event: RingEvent, node: NodeRef): void {
    if (node.id === this.ownId()) this.tellOfUs(event);
    else this.tellOfOthers(event, node.id, `node ${node.host}:${node.port}`);
  }

  private tellOfUs(event: RingEvent): void {
    if (event === 'joined') this.log('joined the ring');
    else if (event === 'formed')
      this.log('no ring found: this node is one by itself until others come');
    else this.log(`this node was ${event}`);
  }

  /** A node that was slow once and answers again is not worth a line. */
  private tellOfOthers(event: RingEvent, id: string, who: string): void {
    if (event === 'dead') {
      this.silent.add(id);
      if (this.silent.size > maxSilent) this.silent.clear();
      this.warn(`${who} does not answer any more`);
    } else if (
      event === 'appeared' ||
      event === 'gone' ||
      event === 'merged' ||
      (event === 'returned' && this.silent.delete(id))
    )
      this.log(`${who} ${event}`);
  }
}

export const whyFailed: Record<FailureCode, string> = {
  'no-owners': 'this node is not on a ring yet; try again in a moment',
  timeout:
    'too few nodes answered in time; what was written may still be there',
  'too-few-nodes': 'fewer than three nodes live: start more nodes',
  invalid: 'the ring does not take this record',
  clock: "this machine's clock differs from the other nodes'; set it right",
  conflict: 'another node keeps writing the same record; try again',
  busy: 'this node is busy or its disk fails; try again in a moment',
};
