/** Which of two pairs of limits holds at a time of the week. */
import type { LimitRuleDto, SettingsDto } from '../dto/settings.dto';

export interface Limits {
  /** Bytes per second; 0 is unlimited. */
  readonly downloadLimit: number;
  /** Bytes per second; 0 is unlimited. */
  readonly uploadLimit: number;
  /** The alternative ones. */
  readonly alternative: boolean;
}

/** `date` is read in the time zone of this machine. */
export function limitsAt(settings: SettingsDto, date: Date): Limits {
  const { alternative, schedule } = settings;
  const chosen =
    alternative === 'on' ||
    (alternative === 'schedule' && schedule.some((rule) => holds(rule, date)));
  return chosen
    ? {
        downloadLimit: settings.alternativeDownloadLimit,
        uploadLimit: settings.alternativeUploadLimit,
        alternative: true,
      }
    : {
        downloadLimit: settings.downloadLimit,
        uploadLimit: settings.uploadLimit,
        alternative: false,
      };
}

/** From `from` up to `to` of each of its days; up to `to` of the next day where that is not later. */
function holds({ days, from, to }: LimitRuleDto, date: Date): boolean {
  const today = date.getDay() || 7;
  const yesterday = today === 1 ? 7 : today - 1;
  const now = date.getHours() * 60 + date.getMinutes();
  const [begin, end] = [minutes(from), minutes(to)];
  if (begin < end) return days.includes(today) && now >= begin && now < end;
  return (
    (days.includes(today) && now >= begin) ||
    (days.includes(yesterday) && now < end)
  );
}

function minutes(time: string): number {
  const [hour, minute] = time.split(':').map(Number);
  return hour * 60 + minute;
}
