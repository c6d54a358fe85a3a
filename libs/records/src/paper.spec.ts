/** The program that makes the figures in docs/ring runs, in a small size. */
import { Report } from '@dnd/sim';
import { clocks, healings, lossesOf } from '../paper/figures';

it.each(Object.entries({ healings, lossesOf, clocks }))(
  'makes a table of %s',
  (_, part) => {
    const lines: string[] = [];
    const report = new Report({
      print: (line) => void lines.push(line),
      small: true,
    });
    expect(part(report)).toEqual([]);
    const [title, head, rule, ...rows] = lines as [
      string,
      string,
      string,
      ...string[],
    ];
    expect(title).toMatch(/\w/);
    expect(rule).toMatch(/^\|( --- \|)+$/);
    expect(rows.length).toBeGreaterThan(0);
    for (const row of rows) {
      expect(row.split('|')).toHaveLength(head.split('|').length);
      expect(row).not.toMatch(/NaN|undefined|Infinity/);
    }
  },
);
