/** The programs that make the figures in docs/ring run, in a small size. */
import { Report, tableProblems } from '@dnd/sim';
import { contacts, paperChurn } from '../paper/churn-figures';
import { garbage } from '../paper/garbage-figures';
import { failures, keys, path } from '../paper/static-figures';

it.each(
  Object.entries({ path, keys, failures, paperChurn, contacts, garbage }),
)('makes a table of %s', (_, part) => {
  const lines: string[] = [];
  part(new Report({ print: (line) => void lines.push(line), small: true }));
  expect(tableProblems(lines)).toEqual([]);
});
