/** What the owner has set for the whole peer: kept over restarts, with the buckets that every limited byte is taken from. */
import { TokenBucket } from '@dnd/swarm';
import { hostname } from 'node:os';
import { limitsAt } from './limit-schedule';
import type { SettingsDto } from '../dto/settings.dto';
import type { PeerStore } from '../entries/peer-store';
import { isLan } from '../distance';

export class PeerSettings {
  readonly down: TokenBucket;
  readonly up: TokenBucket;
  private value: SettingsDto;

  /** `name` is the one given at the start; `now` in milliseconds of the clock that the transfers use, `date` for the schedule. */
  constructor(
    private readonly store: PeerStore,
    name: string | undefined,
    now: number,
    date: Date,
  ) {
    this.value = store.settings({
      name: name ?? hostname().slice(0, 64),
      downloadLimit: 0,
      uploadLimit: 0,
      alternative: 'off',
      alternativeDownloadLimit: 1_000_000,
      alternativeUploadLimit: 250_000,
      schedule: [],
      alternativeNow: false,
      limitLocal: true,
      maxActiveDownloads: 8,
      seedRatio: 0,
      seedMinutes: 0,
      encryption: 'accepted',
      utp: true,
    });
    if (name) this.value.name = name;
    this.down = new TokenBucket(Infinity, now);
    this.up = new TokenBucket(Infinity, now);
    this.apply(date, now);
  }

  get all(): SettingsDto {
    return this.value;
  }

  change(change: Partial<SettingsDto>, now: number, date: Date): void {
    this.value = { ...this.value, ...change };
    this.store.saveSettings(this.value);
    this.apply(date, now);
  }

  /** To be called when time has passed: the schedule may call for other limits. */
  tick(now: number, date: Date): void {
    if (limitsAt(this.value, date).alternative !== this.value.alternativeNow)
      this.apply(date, now);
  }

  private apply(date: Date, now: number): void {
    const { downloadLimit, uploadLimit, alternative } = limitsAt(
      this.value,
      date,
    );
    this.value = { ...this.value, alternativeNow: alternative };
    this.down.setRate(downloadLimit || Infinity, now);
    this.up.setRate(uploadLimit || Infinity, now);
  }

  /** The limits do not hold for this address. */
  isUnlimited(host: string): boolean {
    return !this.value.limitLocal && isLan(host);
  }
}
