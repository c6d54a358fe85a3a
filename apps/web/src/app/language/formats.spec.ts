import { TestBed } from '@angular/core/testing';
import { en } from './en';
import { es } from './es';
import { Formats } from './formats';
import { Language } from './language';

describe('Formats', () => {
  const format = () => TestBed.inject(Formats);

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 KB'],
    [99_949, '99.9 KB'],
    [999_499, '999 KB'],
    [999_500, '1.0 MB'],
    [3_200_000_000, '3.2 GB'],
  ])('writes %d bytes as %s', (bytes, text) => {
    expect(format().bytes(bytes)).toBe(text);
  });

  it.each([
    [0, '0 s'],
    [59, '59 s'],
    [61, '1 min 1 s'],
    [600, '10 min'],
    [7500, '2 h 5 min'],
    [200_000, '2 d 7 h'],
  ])('writes %d seconds as %s', (seconds, text) => {
    expect(format().duration(seconds)).toBe(text);
  });

  it('names the days of the week from Monday on', () => {
    expect(format().weekday(1, 'short')).toBe('Mon');
    expect(format().weekday(7, 'long')).toBe('Sunday');
  });

  it('never says 100 % before the end', () => {
    expect(format().percent(0.9999)).toBe('99%');
    expect(format().percent(1)).toBe('100%');
  });

  it('follows the language while the page runs', async () => {
    expect(format().number(1234.5)).toBe('1,234.5');
    await TestBed.inject(Language).use('es');
    expect(format().bytes(3_200_000)).toBe('3,2 MB');
    expect(document.documentElement.lang).toBe('es');
    expect(TestBed.inject(Language).texts().nav.files).toBe('Archivos');
  });
});

describe('the dictionaries', () => {
  it('count in their language', () => {
    expect(en.count.files(1)).toBe('1 file');
    expect(en.count.files(1200)).toBe('1,200 files');
    expect(es.count.files(1)).toBe('1 archivo');
    expect(es.count.files(0)).toBe('0 archivos');
  });

  const shape = (value: unknown): unknown =>
    typeof value === 'object' && value !== null
      ? Object.fromEntries(
          Object.entries(value).map(([key, part]) => [key, shape(part)]),
        )
      : typeof value;

  it('say the same things', () => {
    expect(shape(es)).toEqual(shape(en));
  });
});
