import type { DownloadDto } from '@dnd/api-client';

/** A download for specs, with what matters to them. */
export const aDownload = (some: Partial<DownloadDto> = {}): DownloadDto => ({
  id: 'a'.repeat(40),
  infoHash: some.id ?? 'a'.repeat(40),
  name: 'film.mp4',
  size: 1000,
  files: 1,
  state: 'downloading',
  completedBytes: 250,
  downloadRate: 0,
  uploadRate: 0,
  uploadedBytes: 0,
  peers: 0,
  seeds: 0,
  addedAt: '2026-01-01T00:00:00Z',
  published: false,
  sequential: false,
  downloadLimit: 0,
  uploadLimit: 0,
  ...some,
});
