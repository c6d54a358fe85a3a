/**
 * The swarms as this tracker knows them: its announce table, kept in step with the ring. What clients
 * say here goes to the swarm's owners twice a second. The owners of the swarms that are asked for here
 * are asked in less than a second whether anything is new, and what others said elsewhere comes back as a
 * copy. Answers are given from memory; only the first question about a swarm that is not known here
 * waits for the ring, and not for long.
 */
import {
  announceInterval,
  AnnounceEvent,
  AnnounceRequest,
  AnnounceTable,
  formatAddress,
  parseAddress,
  type ChosenPeer,
  type SwarmCounts,
} from '@dnd/tracker';
import {
  eachAnswer,
  packQuestions,
  unpackAnswers,
  type Heard,
  type KeptSwarms,
  type SwarmAnswer,
  type SwarmState,
} from '@dnd/records';
import { Injectable, Logger } from '@nestjs/common';
import { randomFillSync } from 'node:crypto';
import { beat, every } from '../beat';
import { Dht, type Glanced } from '../dht/dht';
import { SteadyClock } from '../steady-clock';
import { copyAge, glanceAge, KnownSwarms } from './known-swarms';
import { copyOf } from './swarm-bytes';
import { SwarmTeller } from './swarm-teller';
import type {
  AnnounceEvent as EventName,
  PeerAnnounce,
  PeerAnnounceAnswer,
} from './tracker';

/** Each so many rounds what clients said is told. */
const tellEvery = 2;
/** So few swarms are looked at together rather than spread over rounds: a question costs more than what is in it. */
const fewGlances = 2_048;
/** Swarms asked about in a round; all glances are one question. */
const mostGlances = 16_384;
/** Milliseconds that swarms are followed by news alone: others may have become their owners. */
const trust = 10_000;
/** News of one owner that are taken at once, however few swarms are known here. */
const fewNews = 256;
const mostCopies = 512;
/** Swarms whose peers are asked for in one question. */
const copyBatch = 64;
/** Rounds that copies may be renewed late, to fill a question. */
const mostLate = 8;
/** Seconds that a copy is good for unless it is renewed. */
const copyLife = 45;
/** The first question about a swarm waits for the ring at most so long, milliseconds. */
const patience = 1_500;
/** Milliseconds that the first questions wait for each other. */
const gather = 2;
const maxWaiting = 20_000;
const copyPeers = 200;
/** Announces a second that clients are asked to make in all, and the bounds of the interval, seconds. */
const pace = { perSecond: 2_000, least: 120, most: 1_800 };

const nothing = new Uint8Array(0);
const silence: Glanced = { swarms: nothing, heard: [], whole: false };

interface Waiting {
  readonly answered: Promise<void>;
  readonly resolve: () => void;
}

const events: Record<EventName, AnnounceRequest['event']> = {
  started: AnnounceEvent.started,
  completed: AnnounceEvent.completed,
  stopped: AnnounceEvent.stopped,
  paused: AnnounceEvent.paused,
  update: AnnounceEvent.none,
};

@Injectable()
export class Swarms {
  readonly table: AnnounceTable;
  /** What the table's times and the copies' ages are told by. */
  readonly clock = new SteadyClock();
  private readonly log = new Logger('Swarms');
  private readonly known: KnownSwarms;
  private readonly waiting = new Map<string, Waiting>();
  /** Of those that wait: not asked about yet. */
  private gathered: Buffer[] = [];
  private readonly teller: SwarmTeller;
  private readonly counts: SwarmCounts = {
    complete: 0,
    incomplete: 0,
    downloaded: 0,
    downloaders: 0,
  };
  private endRounds = (): void => undefined;
  private gathering: NodeJS.Timeout | undefined;
  private rounds = 0;
  private looking = false;
  /** Owners of the swarms that are followed, by id. */
  private readonly heard = new Map<string, Heard>();
  private heardAt = 0;
  private trustedUntil = 0;
  private complained = false;
  private lastOwn: KeptSwarms = { swarms: 0, peers: 0, seeds: 0 };

  constructor(private readonly dht: Dht) {
    const seed = randomFillSync(new Uint32Array(6));
    this.known = new KnownSwarms(seed.subarray(4));
    this.table = new AnnounceTable({
      seed: seed.subarray(0, 4),
      shared: true,
      interval: pace.least,
      minInterval: 15,
    });
    this.teller = new SwarmTeller({
      table: this.table,
      ask: (puts) => this.ask(this.dht.swarms(puts), nothing),
      heard: (answers) => this.takeCounts(answers),
      now: this.clock.now,
    });
  }

  start(): void {
    this.endRounds = every(beat, () => this.round());
  }

  async stop(): Promise<void> {
    this.endRounds();
    clearTimeout(this.gathering);
    for (const { resolve } of this.waiting.values()) resolve();
    await this.teller.tell();
  }

  /** May answers about the swarm be given from memory? Else wait for `learn` first. */
  knows(infoHash: Uint8Array): boolean {
    return (
      this.known.ask(infoHash, this.clock.last) ||
      this.waiting.size >= maxWaiting
    );
  }

  /** Resolves when the ring was asked about a swarm that is not known here, or after 1.5 s. */
  learn(infoHash: Uint8Array): Promise<void> {
    const bytes = Buffer.from(infoHash);
    const name = bytes.toString('latin1');
    const known = this.waiting.get(name);
    if (known) return known.answered;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(() => this.letGo(bytes), patience);
    this.gathered.push(bytes);
    this.waiting.set(name, {
      answered: promise,
      resolve: () => {
        clearTimeout(timer);
        resolve();
      },
    });
    this.gathering ??= setTimeout(() => this.askForWaiting(), gather);
    return promise;
  }

  /** Announces of our own peers, through the seam. */
  async announce(
    batchOf: readonly PeerAnnounce[],
  ): Promise<PeerAnnounceAnswer[]> {
    await this.learnAll(batchOf.map(({ infoHash }) => infoHash));
    const request = new AnnounceRequest();
    return batchOf.map((announce) => this.announceOne(request, announce));
  }

  /** Seeders and leechers of some swarms (40 hex digits), which are not followed for that; empty where the ring does not answer. */
  async glanceAt(swarms: readonly string[]): Promise<readonly SwarmAnswer[]> {
    const hashes = swarms.map((swarm) => Buffer.from(swarm, 'hex'));
    if (hashes.length === 0) return [];
    const question = this.dht.swarms(packQuestions(hashes, 0));
    return unpackAnswers(await this.ask(question, nothing));
  }

  /** The swarms whose first owner this tracker's node is; as last known where it does not answer. */
  async own(): Promise<KeptSwarms> {
    try {
      this.lastOwn = await this.dht.ownSwarms();
    } catch {
      // The ring's silence is told where its answer is needed.
    }
    return this.lastOwn;
  }

  private async learnAll(swarms: readonly string[]): Promise<void> {
    const unknown = swarms
      .map((swarm) => Buffer.from(swarm, 'hex'))
      .filter((infoHash) => !this.knows(infoHash));
    await Promise.all(unknown.map((infoHash) => this.learn(infoHash)));
  }

  private announceOne(
    request: AnnounceRequest,
    announce: PeerAnnounce,
  ): PeerAnnounceAnswer {
    request.reset();
    request.infoHash.set(Buffer.from(announce.infoHash, 'hex'));
    request.peerId.set(announce.peerId.subarray(0, 20));
    request.ipLength = parseAddress(announce.host, request.ip) || 4;
    request.port = announce.port;
    request.complete = announce.left === 0;
    request.event = events[announce.event];
    request.numwant = announce.want;
    const { peers4, peers6, complete, incomplete, interval } =
      this.table.announce(request, this.clock.now());
    const chosen: ChosenPeer = {
      ip: new Uint8Array(16),
      ipLength: 4,
      port: 0,
      peerId: new Uint8Array(20),
    };
    const peers: { host: string; port: number }[] = [];
    for (const [length, count] of [
      [4, peers4],
      [16, peers6],
    ] as const) {
      for (let k = 0; k < count; k++) {
        this.table.peerAt(length, k, chosen);
        const host = formatAddress(chosen.ip, 0, chosen.ipLength);
        peers.push({ host, port: chosen.port });
      }
    }
    return {
      infoHash: announce.infoHash,
      peers,
      seeders: complete,
      leechers: incomplete,
      interval,
    };
  }

  private round(): void {
    const { table, known } = this;
    this.clock.look();
    table.sweep(this.clock.now());
    const { perSecond, least, most } = pace;
    table.interval = announceInterval(
      table.stats.peers,
      perSecond,
      least,
      most,
    );
    known.interest = table.lifetime * 1000;
    const round = this.rounds++;
    if (round % tellEvery === 0) void this.teller.tell();
    void this.look(round);
  }

  /** Asks of what is due. */
  private async look(round: number): Promise<void> {
    if (this.looking) return;
    this.looking = true;
    try {
      const { known, clock } = this;
      await this.hearNews();
      // As many as it takes to get round in time, so that many are spread over it.
      const share = Math.ceil((known.size * beat) / glanceAge);
      const glances = known.dueGlances(
        Math.min(Math.max(share, fewGlances), mostGlances),
        clock.now(),
      );
      if (glances.length > 0) await this.glance(glances);
      const roundsToFill = (copyBatch * copyAge) / (known.size * beat);
      const late = Math.min(Math.max(1, Math.floor(roundsToFill)), mostLate);
      const renew = round % late === 0;
      const copies = known.dueCopies(mostCopies, clock.now(), renew);
      for (let at = 0; at < copies.length; at += copyBatch)
        await this.copy(copies.slice(at, at + copyBatch));
    } finally {
      this.looking = false;
    }
  }

  /** What has changed of the swarms that are followed. */
  private async hearNews(): Promise<void> {
    const { heard, known, clock } = this;
    const now = clock.now();
    if (heard.size === 0 || now - this.heardAt < glanceAge) return;
    this.heardAt = now;
    const most = Math.max(known.size, fewNews);
    const question = this.dht.news([...heard.values()], most);
    const news = await this.ask(question, silence);
    heard.clear();
    if (news.whole && now < this.trustedUntil) {
      for (const owner of news.heard) heard.set(owner.node.id, owner);
    } else {
      known.doubt();
      this.trustedUntil = now + trust;
    }
    this.takeCounts(news.swarms, (infoHash) => known.has(infoHash));
  }

  /** These are followed if all their owners answer. */
  private async glance(glances: Uint8Array): Promise<void> {
    const question = this.dht.glance(glances);
    const { swarms, heard, whole } = await this.ask(question, silence);
    // News since an owner was first heard are news for these too.
    for (const owner of heard)
      if (!this.heard.has(owner.node.id)) this.heard.set(owner.node.id, owner);
    if (whole) this.known.followed(glances);
    this.takeCounts(swarms);
  }

  private askForWaiting(): void {
    this.gathering = undefined;
    const hashes = this.gathered;
    this.gathered = [];
    for (let at = 0; at < hashes.length; at += copyBatch) {
      const part = hashes.slice(at, at + copyBatch);
      void this.copy(part).then(() => {
        for (const infoHash of part) this.letGo(infoHash);
      });
    }
  }

  private letGo(infoHash: Buffer): void {
    const name = infoHash.toString('latin1');
    const waiting = this.waiting.get(name);
    if (!waiting) return;
    this.waiting.delete(name);
    this.known.missed(infoHash, this.clock.now());
    waiting.resolve();
  }

  /** Asks for numbers and peers. */
  private async copy(swarms: readonly Buffer[]): Promise<void> {
    const question = this.dht.swarms(packQuestions(swarms, copyPeers));
    const answers = await this.ask(question, nothing);
    const now = this.clock.now();
    eachAnswer(answers, (infoHash, state) => {
      const before = this.countsHere(infoHash, now);
      this.table.copy(infoHash, copyOf(state), copyLife, now);
      this.known.answered(infoHash, state, true, now);
      if (this.countsHere(infoHash, now) > before) this.known.shared(infoHash);
    });
  }

  /** Numbers without peers. */
  private takeCounts(
    answers: Uint8Array,
    isWanted: (infoHash: Buffer) => boolean = () => true,
  ): void {
    const now = this.clock.now();
    eachAnswer(answers, (infoHash, state) => {
      if (isWanted(infoHash)) this.takeCount(infoHash, state, now);
    });
  }

  /** Peers are asked for when the numbers are news that did not come from here. */
  private takeCount(infoHash: Buffer, state: SwarmState, now: number): void {
    const news = this.known.answered(infoHash, state, false, now);
    if (!news) return;
    if (news === 'peers') return this.known.stale(infoHash);
    this.countsHere(infoHash, now);
    const { seeds, leechers, completed } = state;
    const { complete, incomplete, downloaded } = this.counts;
    const more =
      seeds > complete || leechers > incomplete || completed > downloaded;
    // Fewer than here: the ring has not heard of all yet, or somebody left elsewhere.
    const fewer = seeds < complete || leechers < incomplete;
    if (more || (fewer && this.known.isShared(infoHash)))
      this.known.stale(infoHash);
  }

  /** Fills `counts`; their sum. */
  private countsHere(infoHash: Buffer, now: number): number {
    this.table.scrape(infoHash, 0, now, this.counts);
    const { complete, incomplete, downloaded } = this.counts;
    return complete + incomplete + downloaded;
  }

  /** The answer, or `otherwise` where the ring does not answer. */
  private async ask<T>(question: Promise<T>, otherwise: T): Promise<T> {
    try {
      const answer = await question;
      this.complained = false;
      return answer;
    } catch (error) {
      if (!this.complained)
        this.log.warn(
          `the ring does not answer: ${(error as Error).message}; answers come from memory`,
        );
      this.complained = true;
      return otherwise;
    }
  }
}
