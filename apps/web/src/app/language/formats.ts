/** Numbers, sizes, rates and times in the way of the chosen language. */
import { computed, inject, Injectable } from '@angular/core';
import { Language } from './language';

const units = ['B', 'KB', 'MB', 'GB', 'TB', 'PB'];
const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;

@Injectable({ providedIn: 'root' })
export class Formats {
  private readonly language = inject(Language);

  private readonly intl = computed(() => {
    const code = this.language.locale();
    const decimals = (digits: number): Intl.NumberFormat =>
      new Intl.NumberFormat(code, {
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
      });
    return {
      number: new Intl.NumberFormat(code),
      fixed: [decimals(0), decimals(1), decimals(2)],
      percent: new Intl.NumberFormat(code, { style: 'percent' }),
      date: new Intl.DateTimeFormat(code, {
        dateStyle: 'medium',
        timeStyle: 'short',
      }),
      weekday: {
        short: new Intl.DateTimeFormat(code, { weekday: 'short' }),
        long: new Intl.DateTimeFormat(code, { weekday: 'long' }),
      },
      relative: new Intl.RelativeTimeFormat(code, { numeric: 'auto' }),
    };
  });

  number(value: number): string {
    return this.intl().number.format(value);
  }

  /** 3.2 GB; decimal units, as disks and networks are sold. */
  bytes(count: number): string {
    let value = Math.max(0, count);
    let unit = 0;
    while (value >= 999.5 && unit < units.length - 1) {
      value /= 1000;
      unit++;
    }
    const digits = unit === 0 || value >= 99.95 ? 0 : 1;
    return `${this.intl().fixed[digits].format(value)} ${units[unit]}`;
  }

  /** 1.4 MB/s */
  rate(bytesPerSecond: number): string {
    return `${this.bytes(bytesPerSecond)}/s`;
  }

  /** 0 to 1; below the end it never says 100 %. */
  percent(part: number): string {
    const shown = part >= 1 ? 1 : Math.floor(Math.max(0, part) * 100) / 100;
    return this.intl().percent.format(shown);
  }

  ratio(value: number): string {
    return this.intl().fixed[2].format(value);
  }

  /** Two units at most: 2 h 5 min. */
  duration(seconds: number): string {
    const whole = Math.max(0, Math.round(seconds));
    if (whole < minute) return `${whole} s`;
    if (whole < hour) return pair(whole, minute, 'min', 1, 's');
    if (whole < day) return pair(whole, hour, 'h', minute, 'min');
    const days = Math.floor(whole / day);
    return days > 99
      ? `${this.number(days)} d`
      : pair(whole, day, 'd', hour, 'h');
  }

  /** 1 is Monday, 7 is Sunday. */
  weekday(day: number, length: 'short' | 'long'): string {
    // 5 January 2026 is a Monday.
    return this.intl().weekday[length].format(new Date(2026, 0, 4 + day));
  }

  date(iso: string): string {
    return this.intl().date.format(new Date(iso));
  }

  /** 5 minutes ago; `now` in ms. */
  ago(iso: string, now: number): string {
    const seconds = Math.round((new Date(iso).getTime() - now) / 1000);
    const away = Math.abs(seconds);
    const { relative } = this.intl();
    if (away < 45) return relative.format(0, 'second');
    if (away < hour)
      return relative.format(Math.round(seconds / minute), 'minute');
    if (away < day) return relative.format(Math.round(seconds / hour), 'hour');
    if (away < 30 * day)
      return relative.format(Math.round(seconds / day), 'day');
    if (away < 365 * day) {
      return relative.format(Math.round(seconds / (30 * day)), 'month');
    }
    return relative.format(Math.round(seconds / (365 * day)), 'year');
  }
}

function pair(
  seconds: number,
  large: number,
  largeName: string,
  small: number,
  smallName: string,
): string {
  const count = Math.floor(seconds / large);
  const rest = Math.floor((seconds % large) / small);
  const head = `${count} ${largeName}`;
  return rest === 0 || count >= 10 ? head : `${head} ${rest} ${smallName}`;
}
