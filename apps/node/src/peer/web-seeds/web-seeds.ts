/**
 * The web seeds of one torrent at work (BEP 19): each is a peer of the swarm that has everything. One
 * that fails rests, longer each time; one that sent wrong bytes is not asked again.
 */
import type { FileLayout, Metainfo } from '@dnd/metainfo';
import type { SwarmPeer } from '@dnd/swarm';
import type { ActiveTorrent } from '../torrent/active-torrent';
import { WebSeed } from './web-seed';
import { refuseWebSeed } from './web-seed-line';

/** A web seed as the list of sources shows it. */
export interface WebSeedState {
  readonly url: string;
  /** `waiting`: there is nothing to ask of it. */
  readonly state: 'ok' | 'working' | 'waiting' | 'error' | 'off';
  readonly message?: string;
}

interface Seat {
  readonly url: string;
  seed: WebSeed | undefined;
  failures: number;
  message: string | undefined;
  off: boolean;
  timer: NodeJS.Timeout | undefined;
}

const mostSeeds = 8;
const firstRest = 10_000;
const longestRest = 600_000;

export class WebSeeds {
  private readonly seats: Seat[];
  private ended = false;

  constructor(
    private readonly metainfo: Metainfo,
    private readonly layout: FileLayout,
    private readonly active: ActiveTorrent,
    private readonly now: () => number,
  ) {
    this.seats = metainfo.webSeeds.slice(0, mostSeeds).map((url) => {
      const refusal = refuseWebSeed(url);
      return {
        url,
        seed: undefined,
        failures: 0,
        message: refusal,
        off: refusal !== undefined,
        timer: undefined,
      };
    });
    for (const seat of this.seats) this.begin(seat);
  }

  get states(): WebSeedState[] {
    return this.seats.map((seat) => ({
      url: seat.url,
      state: stateOf(seat),
      ...(seat.message && !seat.seed ? { message: seat.message } : {}),
    }));
  }

  /** Those at work, for the list of peers. */
  get working(): { readonly url: string; readonly peer: SwarmPeer }[] {
    return this.seats.flatMap(({ url, seed }) =>
      seed ? [{ url, peer: seed.peer }] : [],
    );
  }

  /** There is something to ask for again: those that had nothing more to give are asked. */
  revive(): void {
    for (const seat of this.seats)
      if (!seat.seed && !seat.timer) this.begin(seat);
  }

  end(): void {
    this.ended = true;
    for (const seat of this.seats) {
      clearTimeout(seat.timer);
      seat.seed?.end();
      seat.seed = undefined;
    }
  }

  /** The swarm has dismissed one of them, perhaps long after it left. */
  dismissed(peer: SwarmPeer, ban: boolean): void {
    const seat = this.seats.find(({ url }) => url === peer.traits.address);
    if (!seat || this.ended) return;
    if (seat.seed?.peer === peer) {
      seat.seed.end();
      seat.seed = undefined;
      if (!ban && !this.active.complete) this.rest(seat, 0);
    }
    if (!ban) return;
    const message = 'it sent bytes that are not the torrent’s';
    seat.off = true;
    seat.message = message;
    clearTimeout(seat.timer);
    // The swarm is in the middle of a step.
    if (seat.seed) queueMicrotask(() => this.failed(seat, message, true, 0));
  }

  private begin(seat: Seat): void {
    seat.timer = undefined;
    if (this.ended || seat.off || this.active.complete) return;
    const { metainfo, layout, now } = this;
    seat.seed = new WebSeed(seat.url, metainfo, layout, {
      swarm: this.active.swarm,
      now,
      settle: () => this.active.settle(),
      worked: () => {
        seat.failures = 0;
        seat.message = undefined;
      },
      failed: (message, forGood, rest) =>
        this.failed(seat, message, forGood, rest),
    });
    this.active.settle();
  }

  private failed(
    seat: Seat,
    message: string,
    forGood: boolean,
    rest: number,
  ): void {
    const { seed } = seat;
    if (!seed || this.ended) return;
    seed.end();
    seat.seed = undefined;
    seat.message = message;
    seat.off = forGood;
    const { swarm } = this.active;
    swarm.at(this.now());
    swarm.removePeer(seed.peer);
    this.active.settle();
    if (!forGood) this.rest(seat, rest);
  }

  private rest(seat: Seat, least: number): void {
    const wait = Math.min(longestRest, firstRest * 2 ** seat.failures++);
    seat.timer = setTimeout(() => this.begin(seat), Math.max(wait, least));
  }
}

function stateOf({ off, seed, message }: Seat): WebSeedState['state'] {
  if (off) return 'off';
  if (seed) return seed.busy ? 'working' : 'ok';
  return message ? 'error' : 'waiting';
}
