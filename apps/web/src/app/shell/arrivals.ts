/** Tells when a download ends: on the page always, and by the system while the page is in the background. */
import { DOCUMENT, inject, Injectable, signal } from '@angular/core';
import { Router } from '@angular/router';
import type { DownloadDto } from '@dnd/api-client';
import { isDone } from '../downloads/download-words';
import { Language } from '../language/language';
import { DownloadStore } from '../live/download-store';
import { Notices } from './notices';
import { Preferences } from './preferences';

/** Milliseconds. */
const gathering = 700;

@Injectable({ providedIn: 'root' })
export class Arrivals {
  private readonly document = inject(DOCUMENT);
  private readonly notices = inject(Notices);
  private readonly preferences = inject(Preferences);
  private readonly router = inject(Router);
  private readonly t = inject(Language).texts;
  private readonly ended: DownloadDto[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly wanted = signal(this.preferences.read('notify') === 'yes');

  /** Whether the system is asked to notify. */
  readonly notifies = this.wanted.asReadonly();

  constructor() {
    inject(DownloadStore).onTransition((before, after) => {
      if (!before || before.state === after.state) return;
      const ended = isDone(after) && !isDone(before) && !after.published;
      const wasUnfinished = before.completedBytes < before.size || !before.size;
      const arrived = ended && wasUnfinished && before.state !== 'checking';
      if (arrived || after.state === 'failed') this.gather(after);
    });
  }

  /** False when the browser refuses. */
  async want(notify: boolean): Promise<boolean> {
    const allowed =
      notify &&
      typeof Notification !== 'undefined' &&
      (await Notification.requestPermission()) === 'granted';
    this.wanted.set(allowed);
    this.preferences.write('notify', allowed ? 'yes' : 'no');
    return allowed === notify;
  }

  /** What ends at about the same time is told at once. */
  private gather(download: DownloadDto): void {
    this.ended.push(download);
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.tell(this.ended.splice(0));
    }, gathering);
  }

  private tell(ended: readonly DownloadDto[]): void {
    const text = this.wordsOf(ended);
    const show = (): void =>
      void this.router.navigate(
        ended.length === 1 ? ['/downloads', ended[0].id] : ['/downloads'],
      );
    this.notices.offer(text, this.t().actions.view, show);
    if (!this.document.hidden || !this.wanted()) return;
    try {
      const notification = new Notification(text, {
        icon: 'icons/icon-192.png',
        tag: 'dnd-arrivals',
      });
      notification.onclick = () => {
        this.document.defaultView?.focus();
        show();
      };
    } catch {
      // Some phones allow notifications to service workers only.
    }
  }

  private wordsOf(ended: readonly DownloadDto[]): string {
    const words = this.t().downloads;
    const [first] = ended;
    if (ended.length === 1) {
      return first.state === 'failed'
        ? words.failedNotice(first.name, first.reason ?? '')
        : words.finished(first.name);
    }
    const failed = ended.filter(({ state }) => state === 'failed').length;
    const done = ended.length - failed;
    return [
      ...(done > 0 ? [words.finishedMany(done)] : []),
      ...(failed > 0 ? [words.failedMany(failed)] : []),
    ].join(', ');
  }
}
