/** What is used of the package bittorrent-dht, which brings no types. */
declare module 'bittorrent-dht' {
  import type { EventEmitter } from 'node:events';

  export interface DhtContact {
    readonly host: string;
    readonly port: number;
  }

  export interface DhtOptions {
    /** 20 bytes. */
    readonly nodeId: Buffer;
    /** Nodes to begin with; false for none. */
    readonly bootstrap: readonly DhtContact[] | false;
    /** Bound, listening and talked to by its owner. */
    readonly socket: EventEmitter;
    /** After how long an announced peer is forgotten, milliseconds. */
    readonly maxAge: number;
    /** Announced peers kept. */
    readonly maxPeers: number;
    /** Queries out at a time. */
    readonly concurrency: number;
  }

  export class Client extends EventEmitter {
    constructor(options: DhtOptions);
    /** Nodes are known, or none answers. */
    readonly ready?: boolean;
    readonly nodes: { count(): number };
    listen(): void;
    addNode(node: DhtContact): void;
    /** Each peer found is an event `peer`; `done` is told how many nodes have answered. */
    lookup(
      infoHash: Buffer,
      done: (error: Error | null, answered: number) => void,
    ): () => void;
    announce(
      infoHash: Buffer,
      port: number,
      done: (error: Error | null) => void,
    ): void;
    toJSON(): { readonly nodes: readonly DhtContact[] };
    destroy(done: () => void): void;
  }
}
