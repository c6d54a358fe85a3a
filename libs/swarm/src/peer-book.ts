/**
 * The addresses a torrent knows: where each came from, how dialling it went, who is banned, and who
 * is to be dialled next. Bounded; an address that keeps failing is tried ever more rarely and makes
 * room for others first. Dialling itself, and how many connections there may be, is the owner's.
 */
import type { PeerSource } from './swarm-peer';

export interface PeerAddress {
  /** IPv4 or IPv6 address in its usual text form, without brackets. */
  readonly host: string;
  readonly port: number;
}

/** An address to dial, and how often in a row that has failed. */
export interface DialledAddress extends PeerAddress {
  readonly failures: number;
}

/** An address as the user sees it. */
export interface KnownPeer extends DialledAddress {
  readonly sources: readonly PeerSource[];
  readonly state: 'idle' | 'dialling' | 'connected';
  /** Earliest time of the next attempt, ms. */
  readonly retryAt: number;
}

export interface PeerBookOptions {
  /** Addresses kept at most. */
  readonly capacity?: number;
  /** Hosts and addresses banned at most; the oldest ban is lifted first. */
  readonly banCapacity?: number;
  /** BEP 40's canonical priority of an address: higher is dialled earlier. */
  readonly priority?: (address: PeerAddress) => number;
  readonly random: () => number;
}

interface Entry {
  readonly host: string;
  readonly port: number;
  readonly key: string;
  readonly sources: Set<PeerSource>;
  readonly priority: number;
  state: 'idle' | 'dialling' | 'connected';
  failures: number;
  /** Connections with it that ended because it broke the protocol. */
  offences: number;
  retryAt: number;
  /** It has been connected and did not have to be banned. */
  proven: boolean;
}

const CAPACITY = 2_000;
const BANS = 10_000;
/** After a first failure, doubled by each further one, ms. */
const RETRY = 15_000;
/** Whoever hung up may only not have been ready. */
const RETRY_SOON = 2_000;
const RETRY_MOST = 30 * 60_000;
/** A connection that ended is not dialled again before this, ms. */
const REDIAL = 10_000;
/** An address that failed so often is forgotten when room is needed. */
const HOPELESS = 3;
/** Sources from the most to the least trusted. */
const TRUST: readonly PeerSource[] = [
  'manual',
  'magnet',
  'lsd',
  'tracker',
  'incoming',
  'pex',
  'dht',
];

export class PeerBook {
  readonly #entries = new Map<string, Entry>();
  readonly #banned = new Set<string>();
  /** All, where it is undefined. */
  #believed: ReadonlySet<PeerSource> | undefined;

  constructor(private readonly options: PeerBookOptions) {}

  get size(): number {
    return this.#entries.size;
  }

  /** True when the address is in the book now; false if it is senseless, banned, not believed or has no room. */
  add(address: PeerAddress, source: PeerSource): boolean {
    const { host, port } = address;
    if (!Number.isInteger(port) || port < 1 || port > 65_535 || host === '')
      return false;
    if (this.#believed?.has(source) === false) return false;
    if (this.isBanned(address)) return false;
    const key = keyOf(address);
    const known = this.#entries.get(key);
    if (known !== undefined) {
      known.sources.add(source);
      return true;
    }
    if (!this.#makeRoom(source)) return false;
    this.#entries.set(key, {
      host,
      port,
      key,
      sources: new Set([source]),
      priority: this.options.priority?.(address) ?? this.options.random(),
      state: 'idle',
      failures: 0,
      offences: 0,
      retryAt: -Infinity,
      proven: false,
    });
    return true;
  }

  /** The address to dial now, marked as being dialled; undefined when none is due. */
  next(now: number): DialledAddress | undefined {
    let best: Entry | undefined;
    for (const entry of this.#entries.values()) {
      if (entry.state !== 'idle' || entry.retryAt > now) continue;
      if (best === undefined || isBetter(entry, best)) best = entry;
    }
    if (best === undefined) return undefined;
    best.state = 'dialling';
    const { host, port, failures } = best;
    return { host, port, failures };
  }

  /** When `next` will have something; `Infinity` if it waits for nothing. */
  get nextAt(): number {
    let at = Infinity;
    for (const { state, retryAt } of this.#entries.values())
      if (state === 'idle') at = Math.min(at, retryAt);
    return at;
  }

  /** The dial (or an incoming connection whose listening port is known) is through its handshake. */
  connected(address: PeerAddress): void {
    const entry = this.#entries.get(keyOf(address));
    if (entry === undefined) return;
    entry.state = 'connected';
    entry.failures = 0;
    entry.proven = true;
  }

  /** The dial led to nothing. `hungUp`: there is somebody, and the first time that is seen to soon. */
  failed(address: PeerAddress, now: number, hungUp = false): void {
    const entry = this.#entries.get(keyOf(address));
    if (entry === undefined) return;
    entry.state = 'idle';
    entry.failures++;
    const soon = hungUp && entry.failures === 1;
    const wait = soon
      ? RETRY_SOON
      : Math.min(RETRY * 2 ** (entry.failures - 1), RETRY_MOST);
    // Spread, so that many that failed at once are not all dialled at once again.
    entry.retryAt = now + wait * (0.75 + this.options.random() / 2);
  }

  /** A connection has ended. `pointless`: there is no reason to dial it again soon (both are complete). */
  disconnected(address: PeerAddress, now: number, pointless = false): void {
    const entry = this.#entries.get(keyOf(address));
    if (entry === undefined) return;
    entry.state = 'idle';
    entry.retryAt = now + (pointless ? RETRY_MOST : REDIAL);
  }

  /** A connection has ended because the other end broke the protocol: it is left alone for longer each time, however well it shakes hands. */
  offended(address: PeerAddress, now: number): void {
    const entry = this.#entries.get(keyOf(address));
    if (entry === undefined) return;
    entry.state = 'idle';
    entry.offences++;
    const wait = RETRY * 2 ** (entry.offences - 1);
    entry.retryAt = now + Math.min(wait, RETRY_MOST);
  }

  /** There is something to ask for again: whoever was of no use is dialled as soon as anybody. */
  revive(): void {
    for (const entry of this.#entries.values())
      if (entry.state === 'idle' && entry.failures + entry.offences === 0)
        entry.retryAt = -Infinity;
  }

  /** This address is we ourselves, or nonsense: never again. */
  forget(address: PeerAddress): void {
    this.#entries.delete(keyOf(address));
  }

  /** From now on only these sources are believed (at first all are); addresses that no other told of are forgotten. Bans stay. */
  believe(sources: ReadonlySet<PeerSource>): void {
    this.#believed = sources;
    for (const entry of this.#entries.values()) {
      for (const source of entry.sources)
        if (!sources.has(source)) entry.sources.delete(source);
      if (entry.sources.size === 0) this.#entries.delete(entry.key);
    }
  }

  /** With `port` only that address, else the whole host. */
  ban(host: string, port?: number): void {
    const key = port === undefined ? host : keyOf({ host, port });
    this.#banned.delete(key);
    if (this.#banned.size >= (this.options.banCapacity ?? BANS)) {
      const [oldest] = this.#banned;
      this.#banned.delete(oldest);
    }
    this.#banned.add(key);
    for (const entry of this.#entries.values())
      if (entry.key === key || (port === undefined && entry.host === host))
        this.#entries.delete(entry.key);
  }

  unban(host: string, port?: number): void {
    this.#banned.delete(port === undefined ? host : keyOf({ host, port }));
  }

  isBanned(address: PeerAddress): boolean {
    return this.#banned.has(address.host) || this.#banned.has(keyOf(address));
  }

  get banned(): readonly string[] {
    return [...this.#banned];
  }

  sourcesOf(address: PeerAddress): readonly PeerSource[] {
    return [...(this.#entries.get(keyOf(address))?.sources ?? [])];
  }

  /** Everything in the book. */
  *known(): Generator<KnownPeer> {
    for (const entry of this.#entries.values())
      yield { ...entry, sources: [...entry.sources] };
  }

  /** A full book lets go of what failed most; a new address of a better source beats an untried one. */
  #makeRoom(source: PeerSource): boolean {
    if (this.#entries.size < (this.options.capacity ?? CAPACITY)) return true;
    let worst: Entry | undefined;
    for (const entry of this.#entries.values()) {
      if (entry.state !== 'idle' || entry.proven) continue;
      if (worst === undefined || isBetter(worst, entry)) worst = entry;
    }
    if (worst === undefined) return false;
    if (worst.failures < HOPELESS && trustOf(worst) <= TRUST.indexOf(source))
      return false;
    this.#entries.delete(worst.key);
    return true;
  }
}

/** `host:port`, IPv6 in brackets. */
export function keyOf({ host, port }: PeerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function trustOf({ sources }: Entry): number {
  let best = TRUST.length;
  for (const source of sources) best = Math.min(best, TRUST.indexOf(source));
  return best;
}

function isBetter(one: Entry, other: Entry): boolean {
  if (one.failures !== other.failures) return one.failures < other.failures;
  if (one.proven !== other.proven) return one.proven;
  const trust = trustOf(one) - trustOf(other);
  return trust !== 0 ? trust < 0 : one.priority > other.priority;
}
