import { argument, Report, tableProblems } from './report';

function memory() {
  const files = new Map<string, string>();
  return {
    files,
    access: {
      readFileSync: (path: string) => files.get(path) ?? '',
      writeFileSync: (path: string, text: string) => void files.set(path, text),
      existsSync: (path: string) => files.has(path),
      mkdirSync: () => undefined,
    },
  };
}

it('keeps the rows of several runs in the order of their keys and draws them', () => {
  const { access, files } = memory();
  const lines: string[] = [];
  const report = () =>
    new Report({
      folder: 'docs',
      files: access,
      print: (line) => void lines.push(line),
    });
  report().keep('churn', '10', { rate: 10 });
  report().keep('churn', '9', { rate: 8 });
  const last = report();
  last.keep('churn', '9', { rate: 9 });
  expect(last.kept('churn')).toEqual([{ rate: 9 }, { rate: 10 }]);
  last.heading('A table', ['a', 'b']);
  last.row([1, 'x']);
  expect(lines).toEqual([
    '\nA table\n',
    '| a | b |',
    '| --- | --- |',
    '| 1 | x |',
  ]);
  const marks = { title: 'T', xLabel: 'x', yLabel: 'y', xMarks: [] };
  last.plot('t.svg', marks, [
    {
      name: 's',
      colour: '#000',
      points: [
        [0, 1],
        [1, 2],
      ],
    },
  ]);
  expect(files.get('docs/t.svg')).toMatch(/^<svg /);
});

it('finds arguments in both spellings', () => {
  expect(argument(['--a', '1', '--b=2'], 'a')).toBe('1');
  expect(argument(['--a', '1', '--b=2'], 'b')).toBe('2');
  expect(argument(['--a', '1'], 'c')).toBeUndefined();
});

it('notices a table that is none', () => {
  const good = ['A table', '| a | b |', '| --- | --- |', '| 1 | 2 |'];
  expect(tableProblems(good)).toEqual([]);
  expect(tableProblems([])).toHaveLength(3);
  expect(tableProblems([...good, '| 1 |', '| NaN | 1 |'])).toHaveLength(2);
});
