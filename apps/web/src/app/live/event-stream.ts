/**
 * The one event stream of the page. Events are gathered and handed on once an animation frame (once a
 * second while the page is hidden), so that a thousand changes a second cost sixty updates. A broken
 * stream is opened again, with the last number seen, until it works.
 */
import {
  DestroyRef,
  DOCUMENT,
  inject,
  Injectable,
  InjectionToken,
  signal,
} from '@angular/core';
import type { ServerEvent, ServerEventName } from '@dnd/api-client';

export const EVENT_SOURCE = new InjectionToken<(url: string) => EventSource>(
  'EventSource',
  { providedIn: 'root', factory: () => (url) => new EventSource(url) },
);

const names: readonly ServerEventName[] = [
  'snapshot',
  'download',
  'download-removed',
  'publication',
  'publication-removed',
  'catalogue',
  'ring',
];
const firstPause = 1000;
const longestPause = 15_000;
const hiddenPeriod = 1000;
/** A page in the background hands on before its queue grows beyond this. */
const maxQueued = 20_000;

export type ConnectionState = 'off' | 'connecting' | 'live' | 'lost';
type Listener = (events: readonly ServerEvent[]) => void;

@Injectable({ providedIn: 'root' })
export class EventStream {
  private readonly open = inject(EVENT_SOURCE);
  private readonly document = inject(DOCUMENT);
  private readonly listeners = new Set<Listener>();
  private readonly connection = signal<ConnectionState>('off');
  private source: EventSource | undefined;
  private queue: ServerEvent[] = [];
  private scheduled = false;
  private lastId = '';
  private pause = firstPause;
  private retry: ReturnType<typeof setTimeout> | undefined;

  private readonly failed = signal(0);

  readonly state = this.connection.asReadonly();
  /** How often the stream has broken or could not be opened. */
  readonly failures = this.failed.asReadonly();

  constructor() {
    const window = this.document.defaultView;
    const online = (): void => {
      if (this.connection() === 'lost') this.connect();
    };
    window?.addEventListener('online', online);
    inject(DestroyRef).onDestroy(() => {
      window?.removeEventListener('online', online);
      this.stop();
    });
  }

  start(): void {
    if (this.source || this.retry !== undefined) return;
    this.connection.set('connecting');
    this.connect();
  }

  stop(): void {
    clearTimeout(this.retry);
    this.retry = undefined;
    this.source?.close();
    this.source = undefined;
    this.connection.set('off');
  }

  /** Called with one frame's events, in their order. Returns how to stop it. */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  private connect(): void {
    clearTimeout(this.retry);
    this.retry = undefined;
    this.source?.close();
    const query = this.lastId
      ? `?lastEventId=${encodeURIComponent(this.lastId)}`
      : '';
    const source = this.open(`/api/events${query}`);
    this.source = source;
    source.addEventListener('open', () => {
      this.pause = firstPause;
      this.connection.set('live');
    });
    source.addEventListener('error', () => this.onError(source));
    for (const name of names) {
      source.addEventListener(name, (event) => this.receive(name, event));
    }
  }

  /** The browser's own retry gives up on an HTTP error and never varies its pause; this one does neither. */
  private onError(source: EventSource): void {
    if (source !== this.source) return;
    source.close();
    this.source = undefined;
    this.connection.set('lost');
    this.failed.update((count) => count + 1);
    this.retry = setTimeout(() => this.connect(), this.pause);
    this.pause = Math.min(longestPause, this.pause * 2);
  }

  private receive(type: ServerEventName, event: MessageEvent<string>): void {
    if (event.lastEventId) this.lastId = event.lastEventId;
    this.queue.push({ type, data: JSON.parse(event.data) } as ServerEvent);
    if (this.queue.length >= maxQueued) this.handOn();
    else if (!this.scheduled) this.schedule();
  }

  private schedule(): void {
    this.scheduled = true;
    const handOn = (): void => {
      this.scheduled = false;
      this.handOn();
    };
    if (this.document.hidden) setTimeout(handOn, hiddenPeriod);
    else requestAnimationFrame(handOn);
  }

  private handOn(): void {
    if (this.queue.length === 0) return;
    const events = this.queue;
    this.queue = [];
    for (const listener of this.listeners) listener(events);
  }
}
