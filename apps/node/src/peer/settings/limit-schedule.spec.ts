import { limitsAt } from './limit-schedule';
import type { LimitRuleDto, SettingsDto } from '../dto/settings.dto';

const settings = (
  alternative: SettingsDto['alternative'],
  ...schedule: LimitRuleDto[]
): SettingsDto =>
  ({
    downloadLimit: 10,
    uploadLimit: 20,
    alternative,
    alternativeDownloadLimit: 1,
    alternativeUploadLimit: 2,
    schedule,
  }) as unknown as SettingsDto;

/** 5 January 2026 is a Monday. */
const at = (day: number, time: string): Date => {
  const [hour, minute] = time.split(':').map(Number);
  return new Date(2026, 0, 4 + day, hour, minute);
};
const work: LimitRuleDto = {
  days: [1, 2, 3, 4, 5],
  from: '08:30',
  to: '17:00',
};
const night: LimitRuleDto = { days: [5, 7], from: '22:00', to: '06:00' };
const sunday: LimitRuleDto = { days: [7], from: '00:00', to: '00:00' };

it.each([
  ['off', at(1, '12:00'), [work], false],
  ['on', at(1, '12:00'), [], true],
  ['schedule', at(1, '12:00'), [], false],
  ['schedule', at(1, '08:29'), [work], false],
  ['schedule', at(1, '08:30'), [work], true],
  ['schedule', at(5, '16:59'), [work], true],
  ['schedule', at(5, '17:00'), [work], false],
  ['schedule', at(6, '12:00'), [work], false],
  ['schedule', at(5, '21:59'), [night], false],
  ['schedule', at(5, '22:00'), [night], true],
  ['schedule', at(6, '05:59'), [night], true],
  ['schedule', at(6, '06:00'), [night], false],
  ['schedule', at(6, '23:00'), [night], false],
  ['schedule', at(1, '03:00'), [night], true],
  ['schedule', at(7, '00:00'), [sunday], true],
  ['schedule', at(7, '23:59'), [sunday], true],
  ['schedule', at(6, '23:59'), [sunday], false],
  ['schedule', at(7, '12:00'), [work, sunday], true],
] as const)('%s, %s: %j', (alternative, date, schedule, expected) => {
  expect(limitsAt(settings(alternative, ...schedule), date)).toEqual(
    expected
      ? { downloadLimit: 1, uploadLimit: 2, alternative: true }
      : { downloadLimit: 10, uploadLimit: 20, alternative: false },
  );
});
