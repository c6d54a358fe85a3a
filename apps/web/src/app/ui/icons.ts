/** Line icons drawn for this page on a 24 × 24 grid: `d` is stroked, `fill` is filled. */
interface Drawing {
  readonly d?: string;
  readonly fill?: string;
}

const disc = (x: number, y: number, r: number): string =>
  `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0z`;
const sheet = 'M6.5 3.5H14l4.5 4.5v12.5h-12zM14 3.5V8h4.5';

export const icons = {
  add: { d: 'M12 5v14M5 12h14' },
  archive: { d: 'M4 4.5h16v4H4zM5.5 8.5v11h13v-11M10 12.5h4' },
  audio: { d: `M9 17V6.2l10-2V15${disc(6.5, 17, 2.5)}${disc(16.5, 15, 2.5)}` },
  auto: { d: 'M3.5 5h17v11h-17zM9 20h6M12 16v4' },
  back: { d: 'M19 12H5.5M11 6l-6 6 6 6' },
  bell: {
    d: 'M6.5 16.5v-6a5.5 5.5 0 0 1 11 0v6l1.5 1.5H5zM10 20.5h4M12 5V3.5',
  },
  cancel: { d: `${disc(12, 12, 8.5)}M9 9l6 6M15 9l-6 6` },
  check: { d: 'M5 12.8l4.5 4.4L19 7.5' },
  clock: { d: `${disc(12, 12, 8.5)}M12 7v5.2l3.4 2` },
  close: { d: 'M6 6l12 12M18 6L6 18' },
  collapse: { d: 'M6 15l6-6 6 6' },
  contrast: { d: disc(12, 12, 8.5), fill: 'M12 3.5a8.5 8.5 0 0 1 0 17z' },
  copy: { d: 'M9 9h11v11H9zM5 15H4V4h11v1' },
  document: { d: `${sheet}M9.5 12.5h6M9.5 16h6` },
  down: { d: 'M12 5v13.5M6 13l6 6 6-6' },
  download: { d: 'M12 4v11.5M7 10.7l5 5 5-5M5 20h14' },
  expand: { d: 'M6 9l6 6 6-6' },
  file: { d: sheet },
  eye: {
    d: `M2.5 12c2.2-4.2 5.5-6.3 9.5-6.3s7.3 2.1 9.5 6.3c-2.2 4.2-5.5 6.3-9.5 6.3S4.7 16.2 2.5 12z${disc(12, 12, 2.8)}`,
  },
  filter: { d: 'M4 6.5h16M7 12h10M10 17.5h4' },
  folder: { d: 'M3.5 6h6.3l2 2.5h8.7v10.5h-17z' },
  help: {
    d: `${disc(12, 12, 8.5)}M9.6 9.6a2.4 2.4 0 1 1 3.5 2.1c-.8.4-1.1.9-1.1 1.8`,
    fill: disc(12, 16.5, 1),
  },
  image: {
    d: `M4 5h16v14H4z${disc(9, 10, 1.5)}M4.5 17l5-4.2 4 3.2 3-2.5 3.5 3`,
  },
  info: { d: `${disc(12, 12, 8.5)}M12 11.2v5`, fill: disc(12, 8, 1) },
  keyboard: {
    d: 'M3 6.5h18v11H3zM6.5 10h.01M10 10h.01M14 10h.01M17.5 10h.01M8 14h8',
  },
  library: {
    d: 'M4 4.5h4.2v15H4zM8.2 4.5h4.2v15H8.2zM14.2 6l3.9-1 3.4 13.6-3.9 1z',
  },
  lock: { d: 'M5.5 11h13v9.5h-13zM8.5 11V8a3.5 3.5 0 0 1 7 0v3' },
  magnet: {
    d: 'M5 4h4v8a3 3 0 0 0 6 0V4h4v8a7 7 0 0 1-14 0zM5 8h4M15 8h4',
  },
  moon: { d: 'M19.7 14.3A8 8 0 1 1 9.7 4.3a6.5 6.5 0 0 0 10 10z' },
  more: {
    fill: `${disc(12, 5.5, 1.6)}${disc(12, 12, 1.6)}${disc(12, 18.5, 1.6)}`,
  },
  open: { d: 'M14 4.5h5.5V10M19.5 4.5L11 13M17 14v5.5H4.5V7H10' },
  pause: { d: 'M8.5 5.5v13M15.5 5.5v13' },
  play: { d: 'M8 5.3v13.4L19 12z' },
  program: { d: 'M8 8l-4.5 4L8 16M16 8l4.5 4-4.5 4M13.6 6l-3.2 12' },
  qr: {
    d: 'M4 4h6v6H4zM14 4h6v6h-6zM4 14h6v6H4zM14 14h2v2M20 14v2M14 20h2M20 18.5V20h-2',
  },
  recheck: { d: 'M4.5 12.5l3.5 3.5 6-7.5M13 16l.8.8L20 9' },
  retry: { d: 'M19.5 12a7.5 7.5 0 1 1-2.2-5.3L19.5 9M19.5 4.5V9H15' },
  ring: {
    d: disc(12, 12, 7.5),
    fill: `${disc(12, 4.5, 2.4)}${disc(19.5, 12, 2.4)}${disc(12, 19.5, 2.4)}${disc(4.5, 12, 2.4)}`,
  },
  search: { d: `${disc(10.8, 10.8, 6.3)}M15.6 15.6l4.9 4.9` },
  select: { d: 'M4 4h16v16H4zM8 12.3l3 3 5.5-6' },
  settings: {
    d: `M4 7h8.5M17.5 7H20M4 17h2.5M11.5 17H20${disc(15, 7, 2.5)}${disc(9, 17, 2.5)}`,
  },
  sun: {
    d: `${disc(12, 12, 4)}M12 3v2M12 19v2M3 12h2M19 12h2M5.6 5.6L7 7M17 17l1.4 1.4M5.6 18.4L7 17M17 7l1.4-1.4`,
  },
  torrent: { d: `${sheet}M12 11v5.5M9.5 14.2l2.5 2.5 2.5-2.5` },
  trash: { d: 'M5 7h14M10 7V4.5h4V7M7 7l.8 12.5h8.4L17 7M10.5 11v5M13.5 11v5' },
  up: { d: 'M12 19V5.5M6 11l6-6 6 6' },
  upload: { d: 'M12 15.7V4.2M7 9l5-5 5 5M5 20h14' },
  user: {
    d: `${disc(12, 8.3, 3.6)}M4.8 20c.8-4 3.7-5.6 7.2-5.6s6.4 1.6 7.2 5.6`,
  },
  video: { d: 'M3.5 6.5h12v11h-12zM15.5 11l5-3v8l-5-3' },
  warning: { d: 'M12 4.5l8.7 15H3.3zM12 10v4.6', fill: disc(12, 17, 1) },
  withdraw: { d: `${disc(12, 12, 8.5)}M7.8 12h8.4` },
} as const satisfies Record<string, Drawing>;

export type IconName = keyof typeof icons;

export const drawingOf = (name: IconName): Drawing => icons[name];
