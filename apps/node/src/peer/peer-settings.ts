/** What the owner has set for the whole peer: kept over restarts, with the buckets that every limited byte is taken from. */
import { TokenBucket } from '@dnd/swarm';
import { hostname } from 'node:os';
import type { SettingsDto } from './peer.dto';
import type { PeerStore } from './peer-store';
import { isLocal } from './torrent-peers';

export class PeerSettings {
  readonly down: TokenBucket;
  readonly up: TokenBucket;
  private value: SettingsDto;

  /** `name` is the one given at the start; `now` in milliseconds of the clock that the transfers use. */
  constructor(
    private readonly store: PeerStore,
    name: string | undefined,
    now: number,
  ) {
    this.value = store.settings({
      name: name ?? hostname().slice(0, 64),
      downloadLimit: 0,
      uploadLimit: 0,
      limitLocal: true,
      maxActiveDownloads: 8,
      seedRatio: 0,
      seedMinutes: 0,
      encryption: 'accepted',
      utp: true,
    });
    if (name) this.value.name = name;
    const { downloadLimit, uploadLimit } = this.value;
    this.down = new TokenBucket(downloadLimit || Infinity, now);
    this.up = new TokenBucket(uploadLimit || Infinity, now);
  }

  get all(): SettingsDto {
    return this.value;
  }

  change(change: Partial<SettingsDto>, now: number): void {
    this.value = { ...this.value, ...change };
    this.store.saveSettings(this.value);
    const { downloadLimit, uploadLimit } = this.value;
    this.down.setRate(downloadLimit || Infinity, now);
    this.up.setRate(uploadLimit || Infinity, now);
  }

  /** The limits do not hold for this address. */
  isUnlimited(host: string): boolean {
    return !this.value.limitLocal && isLan(host);
  }
}

/** Addresses that are not routed over the Internet. */
const isLan = (host: string): boolean =>
  isLocal(host) ||
  /^(?:10\.|192\.168\.|169\.254\.|172\.(?:1[6-9]|2\d|3[01])\.|f[cd]|fe80:)/i.test(
    host,
  );
