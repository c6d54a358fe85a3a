/** What happened to one torrent since the node was started, for people; bounded. What repeats itself is counted. */
export const logKinds = [
  'started',
  'metadata',
  'checking',
  'working',
  'corrupt',
  'banned',
  'waiting',
  'lost',
  'complete',
  'stopped',
  'failed',
  'tracker-answered',
  'tracker-failed',
] as const;
export type LogKind = (typeof logKinds)[number];

export interface LogEntry {
  /** Milliseconds since 1970; of the last time where it happened several times. */
  readonly at: number;
  readonly kind: LogKind;
  /** Which piece, which peer, which tracker, or why, in words. */
  readonly detail: string;
  /** How many times in a row. */
  readonly count: number;
}

const kept = 200;
const longest = 300;

export class TorrentLog {
  private readonly entries: LogEntry[] = [];

  constructor(private readonly clock: () => number = Date.now) {}

  add(kind: LogKind, text = ''): void {
    const detail = text.slice(0, longest);
    const last = this.entries.at(-1);
    const again = last?.kind === kind && last.detail === detail;
    const count = again ? last.count + 1 : 1;
    if (again) this.entries.pop();
    this.entries.push({ at: this.clock(), kind, detail, count });
    if (this.entries.length > kept) this.entries.shift();
  }

  /** The newest first. */
  list(): LogEntry[] {
    return [...this.entries].reverse();
  }
}
