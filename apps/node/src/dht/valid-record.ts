/**
 * Which records this node lets in, whoever sends them: a .torrent that hashes to its key, catalogue
 * entries, names and clients that have the right form and lie at the place that belongs to them.
 * `values.ts` beside the tracker makes them; the rules of both are one.
 */
import type { DurableKind } from '@dnd/records';
import { readTorrent } from '../torrent';
import { decodeClient, decodeEntry, decodeNamed } from '../tracker/values';
import { cataloguePlace, clientPlace } from '../tracker/places';

export function isValidRecord(
  kind: DurableKind,
  place: string,
  item: string,
  value: Uint8Array,
): boolean {
  try {
    switch (kind) {
      case 'torrent':
        return place === item && readTorrent(value).id === item;
      case 'catalogue':
        return (
          place === cataloguePlace(item) && decodeEntry(value).infoHash === item
        );
      case 'name':
        return decodeNamed(value).infoHash === item;
      case 'client':
        return (
          place === clientPlace(Number(item)) &&
          decodeClient(value).id === Number(item)
        );
    }
  } catch {
    return false;
  }
}
