/** Copies text, also where the page is not served securely and the newer interface is missing. */
import { DOCUMENT, inject, Injectable } from '@angular/core';
import { Language } from '../language/language';
import { Notices } from '../shell/notices';

@Injectable({ providedIn: 'root' })
export class Clipboard {
  private readonly document = inject(DOCUMENT);
  private readonly notices = inject(Notices);
  private readonly t = inject(Language).texts;

  /** Copies and says `done`, or that it was not allowed. */
  async copy(text: string, done = this.t().actions.copied): Promise<void> {
    const copied = await this.write(text);
    if (copied) this.notices.say(done);
    else this.notices.warn(this.t().actions.copyFailed);
  }

  private async write(text: string): Promise<boolean> {
    const clipboard = this.document.defaultView?.navigator.clipboard;
    if (clipboard) {
      const written = clipboard.writeText(text);
      return written.then(
        () => true,
        () => this.bySelection(text),
      );
    }
    return this.bySelection(text);
  }

  private bySelection(text: string): boolean {
    const field = this.document.createElement('textarea');
    field.value = text;
    field.setAttribute('readonly', '');
    field.style.position = 'fixed';
    field.style.opacity = '0';
    const focused = this.document.activeElement as HTMLElement | null;
    const host = focused?.closest('[role=dialog]') ?? this.document.body;
    host.append(field);
    field.select();
    const copied = this.document.execCommand('copy');
    field.remove();
    focused?.focus();
    return copied;
  }
}
