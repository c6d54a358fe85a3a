/** A torrent as the lists and events show it. */
import type { DownloadDto, DownloadState } from '../dto/download.dto';
import type { SettingsDto } from '../dto/settings.dto';
import type { Entry } from './entry';

export function showDownload(entry: Entry, settings: SettingsDto): DownloadDto {
  const { session, row } = entry;
  const { swarm, metainfo, completedBytes } = session;
  const size = metainfo?.size ?? 0;
  const state = stateOf(entry);
  const active = state === 'downloading';
  const downloadRate = active ? Math.round(swarm?.down.rate ?? 0) : 0;
  const reason =
    row.reason ?? session.reason ?? waitingFor(entry, state, settings);
  let seeds = 0;
  for (const peer of swarm?.peers ?? []) if (peer.seed) seeds++;
  return {
    id: session.id,
    infoHash: session.id,
    name: row.name,
    size,
    files: metainfo?.files.filter(({ pad }) => !pad).length ?? 0,
    state,
    ...(reason ? { reason } : {}),
    completedBytes:
      session.phase === 'checking' && session.checked > 0
        ? Math.round(size * session.checked)
        : completedBytes,
    downloadRate,
    uploadRate: Math.round(swarm?.up.rate ?? 0),
    uploadedBytes: session.uploadedBytes,
    peers: session.peers.sockets.size,
    seeds,
    ...(downloadRate > 0
      ? { eta: Math.ceil((size - completedBytes) / downloadRate) }
      : {}),
    addedAt: new Date(row.added_at).toISOString(),
    ...(row.completed_at === null
      ? {}
      : { completedAt: new Date(row.completed_at).toISOString() }),
    published: row.published,
    sequential: session.sequential,
    downloadLimit: session.limits.download,
    uploadLimit: session.limits.upload,
  };
}

function stateOf({ row, session, queued }: Entry): DownloadState {
  if (row.wish === 'cancelled' || row.wish === 'failed') return row.wish;
  if (row.wish === 'pause') return session.complete ? 'completed' : 'paused';
  if (queued) return 'queued';
  // It is wanted and about to start.
  return session.phase === 'stopped' ? 'checking' : session.state;
}

function waitingFor(
  { session }: Entry,
  state: DownloadState,
  { maxActiveDownloads }: SettingsDto,
): string | undefined {
  if (state === 'queued')
    return `waits for one of ${maxActiveDownloads} active downloads to end`;
  if (session.peers.sockets.size > 0 || session.webSeeds?.working.length)
    return undefined;
  if (state === 'fetching-metadata')
    return 'looking for a peer that knows this torrent';
  return state === 'downloading' ? 'waiting for peers' : undefined;
}
