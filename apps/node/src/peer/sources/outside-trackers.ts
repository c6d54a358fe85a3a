/**
 * The trackers that a torrent names itself (BEP 3, 12, 15), beside the ring's own, and those that
 * these name in turn: one schedule a torrent, asked over HTTP or UDP, and their answers into the
 * torrent's address book.
 */
import {
  AnnounceSchedule,
  parseAnnounceAnswer,
  refuseTrackerUrl,
  TrackerFailure,
  type AnnounceAnswer,
  type AnnounceFacts,
  type ScheduleInput,
  type ScheduleOutput,
  type TrackerState,
} from '@dnd/tracker';
import { wireHashes } from '@dnd/wire';
import { randomBytes } from 'node:crypto';
import { httpAnnounce } from './http-announce';
import type { TorrentSession } from '../torrent/torrent-session';
import { UdpAnnouncer } from './udp-announcer';

export interface OutsideOwner {
  readonly peerId: Uint8Array;
  readonly port: number;
  now(): number;
  /** Addresses have been found. */
  found(): void;
}

/** A tracker as the list of sources shows it; times in milliseconds of the owner's clock. */
export interface OutsideState extends TrackerState {
  /** Peers it gave last. */
  readonly peers: number;
  readonly lastAt: number | undefined;
}

interface Watched {
  readonly schedule: AnnounceSchedule;
  readonly key: number;
  uploadedAtStart: number;
  downloadedAtStart: number;
  readonly answers: Map<string, { peers: number; at: number }>;
  /** Resolves the wait for the last goodbye. */
  stopped: (() => void) | undefined;
}

const peersWanted = 80;

export class OutsideTrackers {
  private readonly watched = new Map<TorrentSession, Watched>();
  /** Tiers that answers named: a torrent that is started again still knows them. */
  private readonly learned = new WeakMap<TorrentSession, string[][]>();
  private readonly udp: UdpAnnouncer;
  private timer: NodeJS.Timeout | undefined;
  private timerAt = Infinity;

  constructor(private readonly owner: OutsideOwner) {
    this.udp = new UdpAnnouncer(() => owner.now());
  }

  /** Begins to ask `tiers`; those that may not be asked are left out. */
  start(session: TorrentSession, tiers: readonly (readonly string[])[]): void {
    if (this.watched.has(session)) return;
    const allowed = tiers.map(askable);
    if (allowed.every((urls) => urls.length === 0)) return;
    const watched: Watched = {
      schedule: new AnnounceSchedule({
        tiers: [...allowed, ...(this.learned.get(session) ?? [])],
        random: Math.random,
      }),
      key: randomBytes(4).readUInt32BE(),
      uploadedAtStart: session.uploadedBytes,
      downloadedAtStart: session.downloadedBytes,
      answers: new Map(),
      stopped: undefined,
    };
    this.watched.set(session, watched);
    const { complete } = session;
    this.feed(session, watched, { type: 'start', complete });
  }

  completed(session: TorrentSession): void {
    this.tell(session, { type: 'completed' });
  }

  /** More peers are wanted. */
  hurry(session: TorrentSession): void {
    this.tell(session, { type: 'hurry' });
  }

  /** Says good-bye; resolves when that is over (in some seconds at most). */
  stop(session: TorrentSession): Promise<void> {
    const watched = this.watched.get(session);
    if (!watched) return Promise.resolve();
    return new Promise((resolve) => {
      watched.stopped = resolve;
      this.feed(session, watched, { type: 'stop' });
    });
  }

  async close(): Promise<void> {
    await Promise.all([...this.watched.keys()].map((each) => this.stop(each)));
    clearTimeout(this.timer);
    this.udp.close();
  }

  states(session: TorrentSession): OutsideState[] {
    const watched = this.watched.get(session);
    return (watched?.schedule.trackers ?? []).map((tracker) => {
      const last = watched?.answers.get(tracker.url);
      return { ...tracker, peers: last?.peers ?? 0, lastAt: last?.at };
    });
  }

  private tell(session: TorrentSession, input: ScheduleInput): void {
    const watched = this.watched.get(session);
    if (watched) this.feed(session, watched, input);
  }

  private feed(
    session: TorrentSession,
    watched: Watched,
    input: ScheduleInput,
  ): void {
    for (const output of watched.schedule.handle(input, this.owner.now())) {
      if (output.type === 'announce')
        void this.announce(session, watched, output);
      else {
        this.watched.delete(session);
        watched.stopped?.();
      }
    }
    this.wakeBy(watched.schedule.wakeAt);
  }

  private async announce(
    session: TorrentSession,
    watched: Watched,
    { call, url, event: told, trackerId }: AnnounceOutput,
  ): Promise<void> {
    const { left } = session;
    const event = told ?? (session.isPartialSeed ? 'paused' : undefined);
    const facts: AnnounceFacts = {
      infoHash: wireHashes(session.local)[0],
      peerId: this.owner.peerId,
      port: this.owner.port,
      uploaded: session.uploadedBytes - watched.uploadedAtStart,
      downloaded: session.downloadedBytes - watched.downloadedAtStart,
      left,
      key: watched.key,
      numwant: event === 'stopped' ? 0 : peersWanted,
      ...(event ? { event } : {}),
      ...(trackerId ? { trackerId } : {}),
    };
    try {
      const answer = await this.ask(url, facts);
      for (const { host, port } of answer.peers)
        session.peers.book.add({ host, port }, 'tracker');
      const at = Date.now();
      watched.answers.set(url, { peers: answer.peers.length, at });
      session.log.add('tracker-answered', `${url}: ${answer.peers.length}`);
      if (answer.peers.length > 0) this.owner.found();
      const { interval, minInterval, trackerId: id } = answer;
      // A private torrent keeps to those that it names (BEP 27), and one without metadata may be private.
      const trackers =
        session.metainfo && !session.isPrivate
          ? answer.trackers?.map(askable)
          : undefined;
      if (trackers) this.learned.set(session, trackers);
      this.feed(session, watched, {
        type: 'answered',
        call,
        ...(interval === undefined ? {} : { interval }),
        ...(minInterval === undefined ? {} : { minInterval }),
        ...(id === undefined ? {} : { trackerId: id }),
        ...(trackers ? { trackers } : {}),
      });
    } catch (error) {
      session.log.add('tracker-failed', `${url}: ${(error as Error).message}`);
      const retry =
        error instanceof TrackerFailure ? error.retryMinutes : undefined;
      this.feed(session, watched, {
        type: 'failed',
        call,
        reason: (error as Error).message,
        ...(retry === undefined ? {} : { retryMinutes: retry }),
      });
    }
  }

  private async ask(
    url: string,
    facts: AnnounceFacts,
  ): Promise<AnnounceAnswer> {
    return url.startsWith('udp:')
      ? this.udp.announce(url, facts)
      : parseAnnounceAnswer(await httpAnnounce(url, facts));
  }

  private wakeBy(at: number): void {
    if (at >= this.timerAt || at === Infinity) return;
    clearTimeout(this.timer);
    this.timerAt = at;
    this.timer = setTimeout(
      () => this.tick(),
      Math.min(2 ** 31 - 1, Math.max(0, at - this.owner.now())),
    );
  }

  private tick(): void {
    this.timerAt = Infinity;
    for (const [session, watched] of [...this.watched]) {
      if (watched.schedule.wakeAt <= this.owner.now())
        this.feed(session, watched, { type: 'tick' });
      this.wakeBy(watched.schedule.wakeAt);
    }
  }
}

const askable = (urls: readonly string[]): string[] =>
  urls.filter((url) => refuseTrackerUrl(url) === undefined);

type AnnounceOutput = Extract<ScheduleOutput, { type: 'announce' }>;
