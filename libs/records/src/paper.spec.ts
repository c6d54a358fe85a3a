/** The program that makes the figures in docs/ring runs, in a small size. */
import { Report, tableProblems } from '@dnd/sim';
import { clocks, healings, lossesOf } from '../paper/figures';

it.each(Object.entries({ healings, lossesOf, clocks }))(
  'makes a table of %s, and finds nothing wrong',
  (_, part) => {
    const lines: string[] = [];
    const print = (line: string) => void lines.push(line);
    expect(part(new Report({ print, small: true }))).toEqual([]);
    expect(tableProblems(lines)).toEqual([]);
  },
);
