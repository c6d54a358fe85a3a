/** What a download's state means: in words, for filters, and for what may be done with it. */
import type { DownloadDto, DownloadState } from '@dnd/api-client';
import type { Texts } from '../language/en';

export const filters = [
  'all',
  'active',
  'waiting',
  'paused',
  'seeding',
  'done',
  'failed',
  'fresh',
] as const;
export type Filter = (typeof filters)[number];

export const statesOf: Record<
  Exclude<Filter, 'all' | 'fresh'>,
  readonly DownloadState[]
> = {
  active: ['downloading', 'checking', 'fetching-metadata'],
  waiting: ['queued'],
  paused: ['paused'],
  seeding: ['seeding'],
  done: ['completed', 'seeding'],
  failed: ['failed', 'cancelled'],
};

export type Act = 'pause' | 'resume' | 'cancel' | 'retry' | 'recheck';

const possible: Record<Act, readonly DownloadState[]> = {
  pause: ['queued', 'fetching-metadata', 'checking', 'downloading', 'seeding'],
  resume: ['paused', 'completed'],
  cancel: ['queued', 'fetching-metadata', 'checking', 'downloading', 'paused'],
  retry: ['failed', 'cancelled'],
  recheck: ['downloading', 'paused', 'seeding', 'completed', 'failed'],
};

export function can(act: Act, download: DownloadDto): boolean {
  if (act === 'cancel' && isWhole(download)) return false;
  return possible[act].includes(download.state);
}

export const isWhole = (download: DownloadDto): boolean =>
  download.state === 'seeding' ||
  download.state === 'completed' ||
  (download.size > 0 && download.completedBytes >= download.size);

/** Whether the download has ended well and something can be opened. */
export const isDone = ({ state }: DownloadDto): boolean =>
  state === 'seeding' || state === 'completed';

/** 0 to 1. */
export function progressOf({
  completedBytes,
  size,
  state,
}: DownloadDto): number {
  if (state === 'seeding' || state === 'completed') return 1;
  return size > 0 ? Math.min(1, completedBytes / size) : 0;
}

export const ratioOf = (item: {
  readonly uploadedBytes: number;
  readonly size: number;
}): number => (item.size > 0 ? item.uploadedBytes / item.size : 0);

/** Why it is not moving, in the page's language where its figures or the node's usual words tell; else as the node says it. */
export function reasonOf(download: DownloadDto, texts: Texts): string {
  const { reasons } = texts;
  if (download.reason) {
    const full = /^disk full(?:: ([\d.]+ [KMGTP]?B) missing)?/.exec(
      download.reason,
    );
    if (full) return full[1] ? reasons.diskFull(full[1]) : reasons.noRoom;
    const usual = download.state !== 'failed' && stateReason(download, texts);
    return usual || download.reason;
  }
  return stateReason(download, texts);
}

function stateReason(download: DownloadDto, { reasons }: Texts): string {
  if (download.state === 'queued') return reasons.queued;
  if (download.state === 'fetching-metadata') return reasons.metadata;
  if (download.state === 'downloading' && download.downloadRate === 0) {
    return download.peers === 0 ? reasons.noPeers : reasons.idlePeers;
  }
  return '';
}

export type Tone = 'active' | 'good' | 'idle' | 'bad';

export function toneOf(state: DownloadState): Tone {
  if (state === 'failed') return 'bad';
  if (state === 'seeding' || state === 'completed') return 'good';
  if (state === 'paused' || state === 'queued' || state === 'cancelled') {
    return 'idle';
  }
  return 'active';
}
