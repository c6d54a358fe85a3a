/** Seeding goals: by uploaded / size and by time, whichever is reached first. What this node has published is seeded for good. */
import type { Entry } from './entry';
import type { SettingsDto } from '../dto/settings.dto';

/** Those that have seeded enough; `now` in milliseconds since 1970. */
export function atGoal(
  entries: Iterable<Entry>,
  { seedRatio, seedMinutes }: SettingsDto,
  now: number,
): Entry[] {
  if (seedRatio === 0 && seedMinutes === 0) return [];
  return [...entries].filter(({ row, session }) => {
    if (row.wish !== 'run' || row.published || row.completed_at === null)
      return false;
    if (session.phase !== 'active') return false;
    const size = Math.max(1, session.metainfo?.size ?? 1);
    const ratio = session.uploadedBytes / size;
    const minutes = (now - row.completed_at) / 60_000;
    return (
      (seedRatio > 0 && ratio >= seedRatio) ||
      (seedMinutes > 0 && minutes >= seedMinutes)
    );
  });
}
