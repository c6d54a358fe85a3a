import { appendFileSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { makeFolder, removeFolders } from './testing/fixture';
import { WrittenLog } from './written-log';

afterAll(removeFolders);

const [one, two] = ['a', 'b'].map((letter) => letter.repeat(40));
const linesOf = (path: string): number =>
  readFileSync(path, 'latin1').split('\n').filter(Boolean).length;

/** What a process would find that starts at this moment. */
function found(path: string, id: string): number[] {
  const log = new WrittenLog(path, 0);
  log.close();
  return log.pieces(id);
}

describe('WrittenLog', () => {
  it('has pieces in the file soon, without an end', async () => {
    const path = join(makeFolder(), 'written');
    const log = new WrittenLog(path, 5);
    log.add(one, 1);
    log.add(two, 1);
    log.add(one, 70_000);
    expect(log.pieces(one)).toEqual([1, 70_000]);
    while (linesOf(path) < 3) await pause(5);
    expect(found(path, one)).toEqual([1, 70_000]);
    expect(found(path, two)).toEqual([1]);
    log.close();
  });

  it('writes what is left at its end', () => {
    const path = join(makeFolder(), 'written');
    const log = new WrittenLog(path, 60_000);
    log.add(one, 5);
    log.replace(two, [6, 7]);
    log.close();
    expect(found(path, one)).toEqual([5]);
    expect(found(path, two)).toEqual([6, 7]);
  });

  it('forgets what a record claims', () => {
    const path = join(makeFolder(), 'written');
    const log = new WrittenLog(path, 0);
    for (let piece = 0; piece < 5; piece++) log.add(one, piece);
    log.replace(one, [3, 9]);
    expect(log.pieces(one)).toEqual([3, 9]);
    log.replace(one, []);
    expect(log.pieces(one)).toEqual([]);
    log.close();
  });

  it('skips what is damaged', () => {
    const path = join(makeFolder(), 'written');
    const log = new WrittenLog(path, 60_000);
    log.add(one, 1);
    log.close();
    // As a full disk, or a bad one, leaves it.
    appendFileSync(
      path,
      `${one} 2\n\0\0\0${one} 3\n${one.slice(1)} 4\n${one} `,
    );
    const again = new WrittenLog(path, 60_000);
    again.add(one, 5);
    again.close();
    expect(found(path, one)).toEqual([1, 2, 5]);
  });

  it('begins a new file when most of it is out of date', async () => {
    const path = join(makeFolder(), 'written');
    const log = new WrittenLog(path, 0);
    let largest = 0;
    log.add(two, 1);
    for (let round = 0; round < 40; round++) {
      for (let piece = 0; piece < 500; piece++) log.add(one, piece);
      log.replace(one, [1, 2]);
      await pause(2);
      largest = Math.max(largest, statSync(path).size);
    }
    while (linesOf(path) > 9_000) await pause(5);
    expect(largest).toBeLessThan(15_000 * one.length);
    expect(found(path, one)).toEqual(expect.arrayContaining([1, 2]));
    expect(found(path, two)).toEqual([1]);
    log.close();
  });
});
