/**
 * What changes on this node, as one numbered stream for all pages: the peer's downloads and
 * publications, uploads under way, the catalogue's version, the ring. A page that was away asks for
 * what it missed by the last number it saw; where that is too long ago it gets a snapshot instead.
 */
import { Injectable, Logger } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { Observable } from 'rxjs';
import { Dht } from '../dht/dht';
import type { RingDto } from '../dht/dht.dto';
import { Peer, type PeerEvent } from '../peer/peer';
import type { DownloadDto } from '../peer/dto/download.dto';
import type { PublicationDto } from '../peer/dto/publication.dto';
import { Tracker } from '../tracker/tracker';

export type HubEvent =
  | PeerEvent
  | {
      readonly type: 'snapshot';
      readonly data: {
        readonly downloads: readonly DownloadDto[];
        readonly publications: readonly PublicationDto[];
      };
    }
  | {
      readonly type: 'publication-removed';
      readonly data: { readonly id: string };
    }
  | { readonly type: 'catalogue'; readonly data: { readonly version: number } }
  | { readonly type: 'ring'; readonly data: RingDto };

export interface NumberedEvent {
  /** `boot.sequence`: numbers of another run of the node are never mistaken for ours. */
  readonly id: string;
  readonly event: HubEvent;
}

const kept = 2000;
const ringPeriod = 2000;
const retryPause = 1000;

@Injectable()
export class EventHub {
  private readonly log = new Logger('Events');
  private readonly boot = randomBytes(4).toString('hex');
  private readonly recent: NumberedEvent[] = [];
  private readonly listeners = new Set<(event: NumberedEvent) => void>();
  /** Publications that the peer does not know yet. */
  alsoPublishing: () => readonly PublicationDto[] = () => [];
  private sequence = 0;
  private running = false;
  private catalogueVersion = 0;
  private ringText = '';

  constructor(
    private readonly peer: Peer,
    private readonly tracker: Tracker,
    private readonly dht: Dht,
  ) {}

  start(): void {
    this.running = true;
    void this.follow('peer', this.followPeer());
    void this.follow('catalogue', this.followCatalogue());
    void this.follow('ring', this.followRing());
  }

  stop(): void {
    this.running = false;
  }

  emit(event: HubEvent): void {
    const numbered = { id: `${this.boot}.${++this.sequence}`, event };
    this.recent.push(numbered);
    if (this.recent.length > kept)
      this.recent.splice(0, this.recent.length - kept);
    for (const listener of this.listeners) listener(numbered);
  }

  /** From `lastId` on where that is still known; otherwise a snapshot first. */
  stream(lastId?: string): Observable<NumberedEvent> {
    return new Observable((subscriber) => {
      const missed = this.since(lastId);
      let ready = missed !== undefined;
      const held: NumberedEvent[] = [];
      const listener = (event: NumberedEvent): void => {
        if (ready) subscriber.next(event);
        else held.push(event);
      };
      this.listeners.add(listener);
      if (missed) for (const event of missed) subscriber.next(event);
      else {
        const id = `${this.boot}.${this.sequence}`;
        void Promise.all([
          this.peer.downloads(),
          this.peer.publications(),
        ]).then(
          ([downloads, publications]) => {
            subscriber.next({
              id,
              event: {
                type: 'snapshot',
                data: {
                  downloads: downloads.items,
                  publications: [
                    ...publications.items,
                    ...this.alsoPublishing(),
                  ],
                },
              },
            });
            ready = true;
            for (const event of held.splice(0)) subscriber.next(event);
          },
          (error) => subscriber.error(error),
        );
      }
      return () => this.listeners.delete(listener);
    });
  }

  private since(lastId: string | undefined): NumberedEvent[] | undefined {
    const [boot, text] = (lastId ?? '').split('.');
    const number = Number(text);
    if (
      boot !== this.boot ||
      !Number.isSafeInteger(number) ||
      number > this.sequence
    )
      return undefined;
    const missing = this.sequence - number;
    return missing > this.recent.length
      ? undefined
      : this.recent.slice(this.recent.length - missing);
  }

  /** Runs one of the loops below again and again; a silent seam is asked again after a pause. */
  private async follow(what: string, loop: () => Promise<void>): Promise<void> {
    let silent = false;
    while (this.running) {
      try {
        await loop();
        silent = false;
      } catch (error) {
        if (!silent && this.running)
          this.log.debug(`${what}: ${(error as Error).message}`);
        silent = true;
        await new Promise((resolve) => setTimeout(resolve, retryPause).unref());
      }
    }
  }

  private followPeer(): () => Promise<void> {
    let cursor = 0;
    return async () => {
      const changes = await this.peer.changes(cursor);
      cursor = changes.cursor;
      for (const event of changes.events) this.emit(event);
    };
  }

  private followCatalogue(): () => Promise<void> {
    return async () => {
      const version = await this.tracker.catalogueVersion(
        this.catalogueVersion,
      );
      if (version === this.catalogueVersion) return;
      this.catalogueVersion = version;
      this.emit({ type: 'catalogue', data: { version } });
    };
  }

  private followRing(): () => Promise<void> {
    return async () => {
      await new Promise((resolve) => setTimeout(resolve, ringPeriod).unref());
      if (this.listeners.size === 0) return;
      const ring = await this.dht.ring();
      const text = JSON.stringify(ring);
      if (text === this.ringText) return;
      this.ringText = text;
      this.emit({ type: 'ring', data: ring });
    };
  }
}
