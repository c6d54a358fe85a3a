/**
 * The swarms as this tracker knows them: its announce table, kept in step with the ring. What clients
 * say here goes to the swarm's owners twice a second; what others said elsewhere comes back as a copy
 * at most ten seconds old. Answers are given from memory; only the first question about a swarm that
 * is not known here waits for the ring, and not for long.
 */
import {
  AnnounceEvent,
  AnnounceRequest,
  AnnounceTable,
  formatAddress,
  parseAddress,
  type ChosenPeer,
  type SwarmCounts,
} from '@dnd/tracker';
import { Injectable, Logger } from '@nestjs/common';
import { randomFillSync } from 'node:crypto';
import { Dht, type SwarmQuery, type SwarmState } from '../dht/dht';
import type {
  AnnounceEvent as EventName,
  PeerAnnounce,
  PeerAnnounceAnswer,
} from './tracker';
import { copyOf, ownAnnounces } from './swarm-bytes';

const tellPeriod = 500;
/** A copy is renewed when it is asked for and this old, milliseconds. */
const copyAge = 8_000;
/** Seconds that a copy is good for unless it is renewed. */
const copyLife = 30;
/** A swarm that nobody asks for is no longer renewed after this, milliseconds. */
const interest = 120_000;
/** The first question about a swarm waits for the ring at most so long, milliseconds. */
const patience = 1_500;
const batch = 256;
const maxKnown = 200_000;
const maxWaiting = 20_000;
const copyPeers = 200;

interface Known {
  renewedAt: number;
  askedAt: number;
}

const events: Record<EventName, AnnounceRequest['event']> = {
  started: AnnounceEvent.started,
  completed: AnnounceEvent.completed,
  stopped: AnnounceEvent.stopped,
  update: AnnounceEvent.none,
};

@Injectable()
export class Swarms {
  readonly table: AnnounceTable;
  private readonly log = new Logger('Swarms');
  private readonly origin: number;
  private readonly known = new Map<string, Known>();
  private readonly wanted = new Set<string>();
  private readonly waiting = new Map<string, (() => void)[]>();
  /** Completed downloads already told to the ring. */
  private readonly told = new Map<string, number>();
  private timer: NodeJS.Timeout | undefined;
  private renewing: Promise<void> | undefined;
  private complained = false;

  constructor(private readonly dht: Dht) {
    const seed = randomFillSync(new Uint32Array(5));
    this.origin = Math.max(2, seed[4]);
    this.table = new AnnounceTable({
      seed: seed.subarray(0, 4),
      origin: this.origin,
      interval: 120,
      minInterval: 15,
    });
  }

  start(): void {
    this.timer = setInterval(() => void this.round(), tellPeriod);
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.tell();
  }

  /** Undefined when the swarm is known here; otherwise a promise that resolves when the ring was asked. `swarm` is 40 hex digits. */
  ensure(swarm: string): Promise<void> | undefined {
    const now = Date.now();
    const known = this.known.get(swarm);
    if (known && now - known.renewedAt < interest) {
      known.askedAt = now;
      return undefined;
    }
    if (this.waiting.size >= maxWaiting) return undefined;
    const waiting = this.waiting.get(swarm) ?? [];
    this.waiting.set(swarm, waiting);
    this.wanted.add(swarm);
    return new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, patience);
      waiting.push(() => {
        clearTimeout(timer);
        resolve();
      });
      this.soon();
    });
  }

  /** Announces of our own peers, through the seam. */
  async announce(
    batchOf: readonly PeerAnnounce[],
  ): Promise<PeerAnnounceAnswer[]> {
    await Promise.all(batchOf.map(({ infoHash }) => this.ensure(infoHash)));
    const request = new AnnounceRequest();
    const chosen: ChosenPeer = {
      ip: new Uint8Array(16),
      ipLength: 4,
      port: 0,
      peerId: new Uint8Array(20),
    };
    return batchOf.map((announce) => {
      request.reset();
      request.infoHash.set(Buffer.from(announce.infoHash, 'hex'));
      request.peerId.set(announce.peerId.subarray(0, 20));
      request.ipLength = parseAddress(announce.host, request.ip) || 4;
      request.port = announce.port;
      request.complete = announce.left === 0;
      request.event = events[announce.event];
      request.numwant = announce.want;
      const { peers4, peers6, complete, incomplete, interval } =
        this.table.announce(request, Date.now());
      const peers: { host: string; port: number }[] = [];
      for (const [length, count] of [
        [4, peers4],
        [16, peers6],
      ] as const) {
        for (let k = 0; k < count; k++) {
          this.table.peerAt(length, k, chosen);
          peers.push({
            host: formatAddress(chosen.ip, 0, chosen.ipLength),
            port: chosen.port,
          });
        }
      }
      return {
        infoHash: announce.infoHash,
        peers,
        seeders: complete,
        leechers: incomplete,
        interval,
      };
    });
  }

  /** Seeders and leechers of some swarms, from memory where they are known. */
  async counts(swarms: readonly string[]): Promise<SwarmCounts[]> {
    await Promise.all(swarms.map((swarm) => this.ensure(swarm)));
    return swarms.map((swarm) => {
      const counts: SwarmCounts = {
        complete: 0,
        incomplete: 0,
        downloaded: 0,
        downloaders: 0,
      };
      this.table.scrape(Buffer.from(swarm, 'hex'), 0, Date.now(), counts);
      return counts;
    });
  }

  private soon(): void {
    this.renewing ??= new Promise((resolve) => setTimeout(resolve, 5))
      .then(() => this.renew())
      .finally(() => {
        this.renewing = undefined;
        if (this.wanted.size > 0) this.soon();
      });
  }

  private async round(): Promise<void> {
    const now = Date.now();
    this.table.sweep(now);
    for (const [swarm, known] of this.known) {
      if (now - known.askedAt > interest) {
        this.known.delete(swarm);
        this.told.delete(swarm);
      } else if (now - known.renewedAt > copyAge) this.wanted.add(swarm);
    }
    await this.tell();
    if (this.wanted.size > 0) this.soon();
  }

  /** Sends what clients said here since the last time; what is not taken comes again with the client's next announce. */
  private async tell(): Promise<void> {
    const updates = this.table.changes('local', Date.now());
    const queries = updates.map(({ infoHash, bytes }): SwarmQuery => {
      const swarm = Buffer.from(infoHash).toString('hex');
      const { peers, completed } = ownAnnounces(bytes, this.origin);
      const before = this.told.get(swarm) ?? 0;
      this.told.set(swarm, completed);
      return {
        swarm,
        peers,
        want: copyPeers,
        completed: Math.max(0, completed - before),
      };
    });
    for (let at = 0; at < queries.length; at += batch)
      await this.ask(queries.slice(at, at + batch));
  }

  private async renew(): Promise<void> {
    const swarms = [...this.wanted].slice(0, batch);
    for (const swarm of swarms) this.wanted.delete(swarm);
    await this.ask(
      swarms.map((swarm) => ({
        swarm,
        peers: new Uint8Array(0),
        want: copyPeers,
        completed: 0,
      })),
    );
    for (const swarm of swarms) {
      for (const resolve of this.waiting.get(swarm) ?? []) resolve();
      this.waiting.delete(swarm);
    }
  }

  private async ask(queries: readonly SwarmQuery[]): Promise<void> {
    if (queries.length === 0) return;
    try {
      for (const state of await this.dht.swarms(queries)) this.takeIn(state);
      this.complained = false;
    } catch (error) {
      if (!this.complained)
        this.log.warn(
          `the ring does not answer: ${(error as Error).message}; answers come from memory`,
        );
      this.complained = true;
    }
  }

  private takeIn(state: SwarmState): void {
    const now = Date.now();
    const known = this.known.get(state.swarm);
    if (known) known.renewedAt = now;
    else if (this.known.size < maxKnown)
      this.known.set(state.swarm, { renewedAt: now, askedAt: now });
    this.table.copy(
      Buffer.from(state.swarm, 'hex'),
      copyOf(state),
      copyLife,
      now,
    );
  }
}
