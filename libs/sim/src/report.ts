/**
 * Tables and plots of long simulations that run in pieces: each row is kept with what it was made
 * from, so that a table or a plot can be drawn from all pieces that ever ran.
 */
import type { PlotOptions, Series } from './svg-plot';
import { svgPlot } from './svg-plot';

/** What of node:fs is used; handed in, for this library does no input or output. */
export interface FileAccess {
  readFileSync(path: string, encoding: 'utf8'): string;
  writeFileSync(path: string, text: string): void;
  existsSync(path: string): boolean;
  mkdirSync(path: string, options: { recursive: true }): unknown;
}

export interface ReportOptions {
  /** Where plots and figures are written; absent: nowhere. */
  readonly folder?: string;
  readonly files?: FileAccess;
  readonly print: (line: string) => void;
  /** A tenth of the size, to see that it runs. */
  readonly small?: boolean;
  readonly seed?: number;
}

type Rows = Record<string, unknown>;

const FIGURES = 'figures.json';

export class Report {
  readonly small: boolean;
  readonly seed: number;
  private tables: Record<string, Rows> = {};

  constructor(private readonly options: ReportOptions) {
    this.small = options.small ?? false;
    this.seed = options.seed ?? 1;
    this.load();
  }

  heading(title: string, columns: readonly string[]): void {
    this.options.print(`\n${title}\n`);
    this.row(columns);
    this.row(columns.map(() => '---'));
  }

  row(cells: readonly (string | number)[]): void {
    this.options.print(`| ${cells.join(' | ')} |`);
  }

  /** Keeps the figures of one row of a table, in place of an earlier run of the same. */
  keep(table: string, key: string, figures: unknown): void {
    // Another piece may have ended meanwhile.
    this.load();
    this.tables[table] = { ...this.tables[table], [key]: figures };
    const sorted = Object.entries(this.tables[table]).sort(([a], [b]) =>
      a.localeCompare(b, 'en', { numeric: true }),
    );
    this.tables[table] = Object.fromEntries(sorted);
    this.write(FIGURES, `${JSON.stringify(this.tables, null, 1)}\n`);
  }

  /** All rows of a table, in the order of their keys. */
  kept<T>(table: string): T[] {
    return Object.values(this.tables[table] ?? {}) as T[];
  }

  plot(file: string, options: PlotOptions, series: readonly Series[]): void {
    if (series.some(({ points }) => points.length > 0))
      this.write(file, svgPlot(options, series));
  }

  private load(): void {
    const { files } = this.options;
    const path = this.path(FIGURES);
    if (files && path && files.existsSync(path))
      this.tables = JSON.parse(files.readFileSync(path, 'utf8'));
  }

  private write(file: string, text: string): void {
    const { files, folder } = this.options;
    const path = this.path(file);
    if (!files || !folder || !path) return;
    files.mkdirSync(folder, { recursive: true });
    files.writeFileSync(path, text);
  }

  private path(file: string): string | undefined {
    const { folder } = this.options;
    return folder && `${folder}/${file}`;
  }
}

/** What is wrong with the lines of a table as `heading` and `row` print it; nothing for a good one. */
export function tableProblems(lines: readonly string[]): string[] {
  const [title = '', head = '', rule = '', ...rows] = lines;
  const problems: string[] = [];
  if (!/\w/.test(title)) problems.push('no title');
  if (!/^\|( --- \|)+$/.test(rule)) problems.push(`no rule: ${rule}`);
  if (rows.length === 0) problems.push('no rows');
  for (const row of rows) {
    if (row.split('|').length !== head.split('|').length)
      problems.push(`not as many cells as columns: ${row}`);
    if (/NaN|undefined|Infinity/.test(row)) problems.push(`no figure: ${row}`);
  }
  return problems;
}

/** The value of `--name value` or `--name=value` among the arguments. */
export function argument(
  args: readonly string[],
  name: string,
): string | undefined {
  const at = args.indexOf(`--${name}`);
  if (at >= 0) return args[at + 1];
  const start = `--${name}=`;
  return args.find((text) => text.startsWith(start))?.slice(start.length);
}
