/**
 * The addresses that one torrent may be downloaded from: who told of them, when they may be tried again,
 * who is banned. Bounded; an address that failed often is the first to be forgotten.
 */
import type { PeerSource } from '@dnd/swarm';

export interface Candidate {
  readonly host: string;
  readonly port: number;
  source: PeerSource;
  /** Attempts in a row that came to nothing. */
  failures: number;
  /** Milliseconds; not before. */
  retryAt: number;
  connected: boolean;
  banned: boolean;
  /** It has everything and was told that so have we. */
  seed: boolean;
}

const limit = 2000;
const firstPause = 5_000;
const longestPause = 300_000;

export class PeerBook {
  private readonly candidates = new Map<string, Candidate>();

  /** True when the address is news. `own` addresses are the caller's to leave out. */
  add(host: string, port: number, source: PeerSource): boolean {
    const name = addressOf(host, port);
    const known = this.candidates.get(name);
    if (known) {
      // Somebody who is told of again has just been there.
      if (source !== 'incoming' && known.failures > 0)
        known.retryAt = Math.min(known.retryAt, Date.now() + firstPause);
      return false;
    }
    if (port < 1 || port > 65_535) return false;
    if (this.candidates.size >= limit && !this.forgetOne()) return false;
    this.candidates.set(name, {
      host,
      port,
      source,
      failures: 0,
      retryAt: 0,
      connected: false,
      banned: false,
      seed: false,
    });
    return true;
  }

  get(address: string): Candidate | undefined {
    return this.candidates.get(address);
  }

  /** The next address to dial, the least failed first. */
  next(now: number, wantSeeds: boolean): Candidate | undefined {
    let best: Candidate | undefined;
    for (const candidate of this.candidates.values()) {
      if (candidate.connected || candidate.banned || candidate.retryAt > now)
        continue;
      if (candidate.seed && !wantSeeds) continue;
      if (!best || candidate.failures < best.failures) best = candidate;
    }
    return best;
  }

  failed(candidate: Candidate, now: number): void {
    candidate.connected = false;
    candidate.failures++;
    candidate.retryAt =
      now +
      Math.min(
        longestPause,
        firstPause * 2 ** Math.min(10, candidate.failures - 1),
      );
  }

  /** A connection that worked is over. */
  left(candidate: Candidate, now: number): void {
    candidate.connected = false;
    candidate.retryAt = now + firstPause;
  }

  ban(address: string): void {
    const candidate = this.candidates.get(address);
    if (candidate) candidate.banned = true;
  }

  isBanned(host: string): boolean {
    for (const candidate of this.candidates.values())
      if (candidate.banned && candidate.host === host && !isLocal(host))
        return true;
    return false;
  }

  /** Everybody may be tried at once, after a pause of the whole torrent. */
  refresh(): void {
    for (const candidate of this.candidates.values()) candidate.retryAt = 0;
  }

  counts(): Map<PeerSource, number> {
    const counts = new Map<PeerSource, number>();
    for (const { source } of this.candidates.values())
      counts.set(source, (counts.get(source) ?? 0) + 1);
    return counts;
  }

  private forgetOne(): boolean {
    let worst: string | undefined;
    let failures = -1;
    for (const [name, candidate] of this.candidates) {
      if (
        candidate.connected ||
        candidate.banned ||
        candidate.failures <= failures
      )
        continue;
      worst = name;
      failures = candidate.failures;
    }
    return worst !== undefined && this.candidates.delete(worst);
  }
}

export const addressOf = (host: string, port: number): string =>
  host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;

/** One machine may run many peers: there an address is not a person. */
const isLocal = (host: string): boolean =>
  host.startsWith('127.') || host === '::1';
