/** A line plot as SVG text: axes, series with their points, a legend. No more than the figures need. */
export interface Series {
  readonly name: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  readonly colour: string;
  readonly dashed?: boolean;
}

export interface PlotOptions {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  /** Where the x axis has its marks, and what is written there. */
  readonly xMarks: readonly (readonly [x: number, label: string])[];
}

const WIDTH = 640;
const HEIGHT = 400;
const LEFT = 60;
const RIGHT = 20;
const TOP = 40;
const BOTTOM = 55;

export function svgPlot(
  options: PlotOptions,
  series: readonly Series[],
): string {
  const xs = series.flatMap((s) => s.points.map(([x]) => x));
  const ys = series.flatMap((s) => s.points.map(([, y]) => y));
  const [xMin, xMax] = [Math.min(...xs), Math.max(...xs)];
  const yMax = Math.ceil(Math.max(...ys));
  const px = (x: number) =>
    LEFT + ((x - xMin) / (xMax - xMin || 1)) * (WIDTH - LEFT - RIGHT);
  const py = (y: number) =>
    HEIGHT - BOTTOM - (y / yMax) * (HEIGHT - TOP - BOTTOM);
  const text = (x: number, y: number, words: string, anchor = 'middle') =>
    `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${words}</text>`;
  const step = Math.max(1, Math.ceil(yMax / 8));
  const rows = Array.from(
    { length: Math.floor(yMax / step) + 1 },
    (_, i) => i * step,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    text(WIDTH / 2, 22, options.title),
    ...rows.map(
      (y) =>
        `<path d="M${LEFT} ${py(y).toFixed(1)}H${WIDTH - RIGHT}" stroke="#ddd"/>` +
        text(LEFT - 8, py(y) + 4, String(y), 'end'),
    ),
    ...options.xMarks.map(([x, label]) =>
      text(px(x), HEIGHT - BOTTOM + 18, label),
    ),
    text(WIDTH / 2, HEIGHT - 12, options.xLabel),
    `<text transform="translate(16 ${HEIGHT / 2}) rotate(-90)" text-anchor="middle">${options.yLabel}</text>`,
    ...series.map(({ points, colour, dashed }) => {
      const path = points
        .map(
          ([x, y], i) =>
            `${i ? 'L' : 'M'}${px(x).toFixed(1)} ${py(y).toFixed(1)}`,
        )
        .join('');
      const dots = points
        .map(
          ([x, y]) =>
            `<circle cx="${px(x).toFixed(1)}" cy="${py(y).toFixed(1)}" r="3" fill="${colour}"/>`,
        )
        .join('');
      const dash = dashed ? ' stroke-dasharray="5 4"' : '';
      return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="2"${dash}/>${dots}`;
    }),
    ...series.map(
      ({ name, colour }, i) =>
        `<rect x="${LEFT + 12}" y="${TOP + 4 + 18 * i}" width="12" height="12" fill="${colour}"/>` +
        text(LEFT + 30, TOP + 14 + 18 * i, name, 'start'),
    ),
    '</svg>',
    '',
  ].join('\n');
}
