/**
 * Every download of the node, live. Each one is a signal of its own: a change wakes only what shows
 * that download. What depends on all of them hangs on two counters: `shape` for downloads that came,
 * went, or changed name or state, and `beat` for any change. Counts and totals are kept along, so that
 * a change costs the same whether there are ten downloads or ten thousand.
 */
import {
  computed,
  inject,
  Injectable,
  signal,
  untracked,
  type Signal,
  type WritableSignal,
} from '@angular/core';
import type { DownloadDto, DownloadState, ServerEvent } from '@dnd/api-client';
import { EventStream } from './event-stream';
import { searchable } from '../ui/searchable';

interface Entry {
  readonly value: WritableSignal<DownloadDto>;
  /** The name as it is searched and sorted. */
  key: string;
}

export interface Totals {
  readonly downloadRate: number;
  readonly uploadRate: number;
}

type Transition = (before: DownloadDto | undefined, after: DownloadDto) => void;

@Injectable({ providedIn: 'root' })
export class DownloadStore {
  private readonly entries = new Map<string, Entry>();
  private readonly transitions = new Set<Transition>();
  private readonly shapes = signal(0);
  private readonly beats = signal(0);
  private readonly known = signal(false);
  private readonly rates = { downloadRate: 0, uploadRate: 0 };
  private readonly perState = new Map<DownloadState, number>();

  readonly shape = this.shapes.asReadonly();
  readonly beat = this.beats.asReadonly();
  /** False until the node has told its downloads. */
  readonly ready = this.known.asReadonly();

  /** Of all downloads, bytes a second. */
  readonly totals = computed<Totals>(() => {
    this.beats();
    return { ...this.rates };
  });

  /** How many there are in each state; none where a state is missing. */
  readonly counts = computed<ReadonlyMap<DownloadState, number>>(() => {
    this.shapes();
    return new Map(this.perState);
  });

  constructor() {
    inject(EventStream).listen((events) => this.apply(events));
  }

  get size(): number {
    return this.entries.size;
  }

  /** The live value of one download; undefined while there is none. */
  find(id: string): DownloadDto | undefined {
    const entry = this.entries.get(id);
    if (entry) return entry.value();
    this.shapes();
    return undefined;
  }

  signal(id: string): Signal<DownloadDto> | undefined {
    return this.entries.get(id)?.value;
  }

  /** All of them as they are now, without subscribing to each. */
  *values(): Generator<{
    readonly key: string;
    readonly download: DownloadDto;
  }> {
    for (const { key, value } of this.entries.values()) {
      yield { key, download: peek(value) };
    }
  }

  /** Called when a download appears or changes its state after the first snapshot. */
  onTransition(listener: Transition): void {
    this.transitions.add(listener);
  }

  /** Takes what a request answered, without waiting for the event that says the same. */
  put(download: DownloadDto): void {
    if (this.set(download)) this.shapes.update(next);
    this.beats.update(next);
  }

  apply(events: readonly ServerEvent[]): void {
    let reshaped = false;
    let changed = false;
    for (const event of events) {
      if (event.type === 'snapshot') {
        this.replace(event.data.downloads);
        reshaped = true;
      } else if (event.type === 'download') {
        reshaped = this.set(event.data) || reshaped;
      } else if (event.type === 'download-removed') {
        reshaped = this.delete(event.data.id) || reshaped;
      } else continue;
      changed = true;
    }
    if (reshaped) this.shapes.update(next);
    if (changed) this.beats.update(next);
  }

  private replace(downloads: readonly DownloadDto[]): void {
    const present = new Set(downloads.map(({ id }) => id));
    for (const id of this.entries.keys()) {
      if (!present.has(id)) this.delete(id);
    }
    for (const download of downloads) this.set(download);
    this.known.set(true);
  }

  /** True when lists of downloads may look different now. */
  private set(download: DownloadDto): boolean {
    const entry = this.entries.get(download.id);
    if (!entry) {
      this.entries.set(download.id, {
        value: signal(download),
        key: searchable(download.name),
      });
      this.count(download, 1);
      if (this.known()) this.tell(undefined, download);
      return true;
    }
    const before = peek(entry.value);
    entry.value.set(download);
    this.count(before, -1);
    this.count(download, 1);
    const renamed = before.name !== download.name;
    if (renamed) entry.key = searchable(download.name);
    if (before.state !== download.state) this.tell(before, download);
    return renamed || before.state !== download.state;
  }

  private delete(id: string): boolean {
    const entry = this.entries.get(id);
    if (entry) this.count(peek(entry.value), -1);
    return this.entries.delete(id);
  }

  /** Adds a download to the counts and totals, or takes it out of them. */
  private count(download: DownloadDto, sign: 1 | -1): void {
    const { state, downloadRate, uploadRate } = download;
    this.rates.downloadRate += sign * downloadRate;
    this.rates.uploadRate += sign * uploadRate;
    this.perState.set(state, (this.perState.get(state) ?? 0) + sign);
  }

  private tell(before: DownloadDto | undefined, after: DownloadDto): void {
    for (const listener of this.transitions) listener(before, after);
  }
}

/** The value without depending on it. */
const peek = (value: Signal<DownloadDto>): DownloadDto => untracked(value);

const next = (count: number): number => count + 1;
