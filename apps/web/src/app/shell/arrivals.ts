/** Tells when a download ends: on the page always, and by the system while the page is in the background. */
import { DOCUMENT, inject, Injectable, signal } from '@angular/core';
import { Router } from '@angular/router';
import type { DownloadDto } from '@dnd/api-client';
import { isDone } from '../downloads/download-words';
import { Language } from '../language/language';
import { DownloadStore } from '../live/download-store';
import { Notices } from './notices';
import { Preferences } from './preferences';

@Injectable({ providedIn: 'root' })
export class Arrivals {
  private readonly document = inject(DOCUMENT);
  private readonly notices = inject(Notices);
  private readonly preferences = inject(Preferences);
  private readonly router = inject(Router);
  private readonly t = inject(Language).texts;
  private readonly wanted = signal(this.preferences.read('notify') === 'yes');

  /** Whether the system is asked to notify. */
  readonly notifies = this.wanted.asReadonly();

  constructor() {
    inject(DownloadStore).onTransition((before, after) => {
      if (!before || before.state === after.state) return;
      const ended = isDone(after) && !isDone(before) && !after.published;
      const wasUnfinished = before.completedBytes < before.size || !before.size;
      if (ended && wasUnfinished && before.state !== 'checking') {
        this.tell(after, this.t().downloads.finished(after.name));
      } else if (after.state === 'failed') {
        this.tell(
          after,
          this.t().downloads.failedNotice(after.name, after.reason ?? ''),
        );
      }
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

  private tell(download: DownloadDto, text: string): void {
    const show = (): void =>
      void this.router.navigate(['/downloads', download.id]);
    this.notices.offer(text, this.t().actions.view, show);
    if (!this.document.hidden || !this.wanted()) return;
    try {
      const notification = new Notification(text, {
        icon: 'icons/icon-192.png',
        tag: download.id,
      });
      notification.onclick = () => {
        this.document.defaultView?.focus();
        show();
      };
    } catch {
      // Some phones allow notifications to service workers only.
    }
  }
}
