import type { SettingsDto } from '../dto/settings.dto';
import { PeerSettings } from './peer-settings';
import type { PeerStore } from '../entries/peer-store';

/** 5 January 2026 is a Monday. */
const monday = (hour: number): Date => new Date(2026, 0, 5, hour);

function open() {
  const saved: SettingsDto[] = [];
  const store = {
    settings: (defaults: SettingsDto) => defaults,
    saveSettings: (settings: SettingsDto) => void saved.push(settings),
  } as unknown as PeerStore;
  return { settings: new PeerSettings(store, 'casa', 0, monday(0)), saved };
}

it('follows the schedule as time passes, and stores it', () => {
  const { settings, saved } = open();
  expect(settings.down.limited).toBe(false);
  settings.change(
    {
      alternative: 'schedule',
      alternativeDownloadLimit: 1000,
      schedule: [{ days: [1], from: '08:00', to: '18:00' }],
    },
    0,
    monday(7),
  );
  expect(saved).toHaveLength(1);
  expect(settings.all.alternativeNow).toBe(false);
  settings.tick(1, monday(8));
  expect(settings.all.alternativeNow).toBe(true);
  expect(settings.down.limited).toBe(true);
  settings.tick(2, monday(18));
  expect(settings.all.alternativeNow).toBe(false);
  expect(settings.down.limited).toBe(false);
});

it('a change of the limits in force holds at once', () => {
  const { settings } = open();
  settings.change({ alternative: 'on' }, 0, monday(0));
  expect(settings.up.limited).toBe(true);
  settings.change({ alternativeUploadLimit: 0 }, 1, monday(0));
  expect(settings.up.limited).toBe(false);
  expect(settings.down.limited).toBe(true);
});

describe('peers that the limits do not hold for', () => {
  it('are none unless the owner wishes', () => {
    expect(open().settings.isUnlimited('192.168.1.2')).toBe(false);
  });

  it.each([
    ['127.0.0.1', true],
    ['::1', true],
    ['10.255.0.1', true],
    ['172.16.0.1', true],
    ['172.31.255.255', true],
    ['172.15.0.1', false],
    ['172.32.0.1', false],
    ['192.168.0.1', true],
    ['192.169.0.1', false],
    ['169.254.3.4', true],
    ['fd12:3456::1', true],
    ['fe80::1', true],
    ['2001:db8::1', false],
    ['8.8.8.8', false],
    ['fc-cologne.example', false],
    ['10.example', false],
  ])('then %s: %s', (host, exempt) => {
    const { settings } = open();
    settings.change({ limitLocal: false }, 0, monday(0));
    expect(settings.isUnlimited(host)).toBe(exempt);
  });
});
