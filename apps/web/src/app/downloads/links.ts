/** Reads what people paste to start a download. */
import type { AddDownloadDto } from '@dnd/api-client';

const maxLink = 32_768;

/** A magnet link or a bare info-hash; undefined for anything else. */
export function readLink(text: string): AddDownloadDto | undefined {
  const link = text.trim();
  if (link.length > maxLink) return undefined;
  if (/^magnet:\?/i.test(link) && /[?&]xt(\.\d+)?=urn:bt/i.test(link)) {
    return { magnet: link };
  }
  if (/^[0-9a-f]{40}$/i.test(link)) return { infoHash: link.toLowerCase() };
  return undefined;
}

export const isTorrent = (file: { readonly name: string }): boolean =>
  /\.torrent$/i.test(file.name);
