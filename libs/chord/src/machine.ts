/**
 * How every protocol core of the ring is driven: facts in, commands out, and a time to wake.
 * The program and the simulation drive the same code with the same few lines: feed `handle`,
 * perform the outputs, and call `handle({ type: 'tick' }, now)` no later than `wakeAt`.
 * Nothing in a core looks at a clock, keeps a timer, opens a socket or draws an unseeded number.
 */
import type { NodeRef } from './node-ref';

/** What the outside tells any core. `M` is the core's message union. Times are milliseconds. */
export type MachineInput<M> =
  | { readonly type: 'tick' }
  /** Another node asks; answer with an output `reply` of the same `call`, at once or later. */
  | {
      readonly type: 'request';
      readonly call: number;
      readonly from: NodeRef;
      readonly message: M;
      /** Where it came from, where the transport can tell: unlike `from` it is not the sender's word. Limits are kept by it too. */
      readonly address?: string;
    }
  /** The answer to our own `request` of that `call`. */
  | { readonly type: 'reply'; readonly call: number; readonly message: M }
  /** The transport could not deliver our `request` (refused, reset); silence needs no input, the core keeps its own time-outs. */
  | { readonly type: 'unreachable'; readonly call: number };

export type MachineOutput<M> =
  | {
      readonly type: 'request';
      readonly call: number;
      readonly to: NodeRef;
      readonly message: M;
    }
  | {
      readonly type: 'reply';
      readonly call: number;
      readonly to: NodeRef;
      readonly message: M;
    };

export interface Machine<I, O> {
  /** Performs one step. `now` never goes back between calls. The returned list belongs to the caller. */
  handle(input: I, now: number): O[];
  /** When `tick` is due, in the same milliseconds; Infinity when nothing is waited for. */
  readonly wakeAt: number;
}
