/** Tells the tracker (through its seam) which torrents this peer has, in batches, and fills their address books with the answers. */
import { Logger } from '@nestjs/common';
import { every } from '../../beat';
import type { AnnounceEvent, PeerAnnounce } from '../../tracker/tracker';
import { appetiteOf, type Appetite } from './appetite';
import type { SourcesOwner } from './peer-sources';
import type { TorrentSession } from '../torrent/torrent-session';

interface Schedule {
  /** Milliseconds of the engine's clock; 0 is at once, and Infinity stands while it is announced. */
  dueAt: number;
  event: AnnounceEvent;
  state: 'waiting' | 'working' | 'ok' | 'error';
  message: string | undefined;
  peers: number;
  lastAt: number | undefined;
}

const period = 500;
const batchSize = 100;
const peersWanted = 80;
/** From one announce of a torrent to the next, milliseconds; no more seldom than the tracker forgets. */
const periods: Readonly<Record<Appetite, number>> = {
  starving: 3_000,
  hungry: 20_000,
  content: 60_000,
  sated: 120_000,
};
const afterError = 3_000;
const checkInPause = 2_000;
const checkInPeriod = 600_000;

export class Announcer {
  private readonly log = new Logger('Announcer');
  private readonly schedules = new Map<TorrentSession, Schedule>();
  private endRounds = (): void => undefined;
  private checkInTimer: NodeJS.Timeout | undefined;
  private busy = false;
  /** Nothing is due before. */
  private nextDueAt = 0;
  private complained = false;
  private stopping = false;
  private registered: Promise<void>;
  private onRegistered: () => void = () => undefined;

  constructor(private readonly owner: SourcesOwner) {
    this.registered = new Promise((resolve) => (this.onRegistered = resolve));
  }

  start(): void {
    this.endRounds = every(period, () => void this.round());
    void this.checkIn();
  }

  /** Says good-bye for everything. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.endRounds();
    clearTimeout(this.checkInTimer);
    const going = [...this.schedules.keys()];
    for (let at = 0; at < going.length; at += batchSize) {
      await this.send(
        going
          .slice(at, at + batchSize)
          .map((session) => this.announce(session, 'stopped')),
      ).catch(() => undefined);
    }
    this.schedules.clear();
  }

  /** Resolves once the tracker has given this client its id. */
  whenRegistered(): Promise<void> {
    return this.registered;
  }

  /** Tells the tracker of a seed at once, so that whoever asks next is given its address. */
  async seed(session: TorrentSession): Promise<void> {
    const announce = { ...this.announce(session, 'started'), left: 0 };
    await this.send([announce]).catch(() => undefined);
  }

  started(session: TorrentSession): void {
    if (session.phase === 'metadata' || session.phase === 'active')
      this.now(session, 'started');
  }

  completed(session: TorrentSession): void {
    this.now(session, 'completed');
  }

  async stopped(session: TorrentSession): Promise<void> {
    if (!this.schedules.delete(session)) return;
    await this.send([this.announce(session, 'stopped')]).catch(() => undefined);
  }

  status(session: TorrentSession): Readonly<Schedule> | undefined {
    return this.schedules.get(session);
  }

  private now(session: TorrentSession, event: AnnounceEvent): void {
    this.nextDueAt = 0;
    const known = this.schedules.get(session);
    if (known) Object.assign(known, { dueAt: 0, event });
    else
      this.schedules.set(session, {
        dueAt: 0,
        event,
        state: 'waiting',
        message: undefined,
        peers: 0,
        lastAt: undefined,
      });
  }

  private async round(): Promise<void> {
    const now = this.owner.now();
    if (this.busy || this.stopping || now < this.nextDueAt) return;
    this.busy = true;
    try {
      const due: [TorrentSession, Schedule][] = [];
      this.nextDueAt = Infinity;
      for (const [session, schedule] of this.schedules)
        if (schedule.dueAt <= now && due.length < batchSize)
          due.push([session, schedule]);
        else this.lookAgainAt(schedule.dueAt);
      if (due.length > 0) await this.announceAll(due);
    } finally {
      this.busy = false;
    }
  }

  private lookAgainAt(time: number): void {
    this.nextDueAt = Math.min(this.nextDueAt, time);
  }

  private async announceAll(
    due: readonly [TorrentSession, Schedule][],
  ): Promise<void> {
    for (const [, schedule] of due)
      Object.assign(schedule, { state: 'working', dueAt: Infinity });
    try {
      const answers = await this.send(
        due.map(([session, { event }]) => this.announce(session, event)),
      );
      this.complained = false;
      due.forEach(([session, schedule], i) => {
        const { peers } = answers[i];
        for (const { host, port } of peers)
          session.peers.book.add({ host, port }, 'tracker');
        if (peers.length > 0) this.owner.found();
        const wait = periods[appetiteOf(session)];
        Object.assign(schedule, {
          state: 'ok',
          message: undefined,
          peers: peers.length,
          lastAt: Date.now(),
        });
        // Unless there was something to tell meanwhile.
        if (schedule.dueAt === Infinity) {
          schedule.event = 'update';
          schedule.dueAt = this.owner.now() + wait;
        }
        this.lookAgainAt(schedule.dueAt);
      });
    } catch (error) {
      const { message } = error as Error;
      if (!this.complained)
        this.log.warn(`no tracker answers: ${message}; trying again`);
      this.complained = true;
      for (const [, schedule] of due)
        Object.assign(schedule, {
          state: 'error',
          message,
          dueAt: this.owner.now() + afterError,
        });
      this.lookAgainAt(this.owner.now() + afterError);
    }
  }

  private send(
    batch: readonly PeerAnnounce[],
  ): ReturnType<SourcesOwner['tracker']['announce']> {
    return this.owner.tracker.announce(batch);
  }

  private announce(
    session: TorrentSession,
    event: AnnounceEvent,
  ): PeerAnnounce {
    return {
      infoHash: session.id,
      peerId: this.owner.peerId,
      host: this.owner.config.advertise,
      port: this.owner.port,
      event: event !== 'stopped' && session.isPartialSeed ? 'paused' : event,
      left: session.left,
      want: event === 'stopped' ? 0 : peersWanted,
    };
  }

  private async checkIn(): Promise<void> {
    const { identity, config, settings, port } = this.owner;
    const { clientId, token } = identity.value;
    const client = { token, name: settings.name, host: config.advertise, port };
    let pause = checkInPeriod;
    try {
      const given = await this.owner.tracker.checkIn({
        ...client,
        ...(clientId === undefined ? {} : { clientId }),
      });
      if (given.clientId !== clientId)
        identity.change({ clientId: given.clientId });
      this.onRegistered();
    } catch (error) {
      // An id that belongs to somebody else is given up for a new one.
      if ((error as { code?: string }).code === 'forbidden')
        identity.change({ clientId: undefined });
      pause = checkInPause;
    }
    if (!this.stopping)
      this.checkInTimer = setTimeout(() => void this.checkIn(), pause);
  }
}
