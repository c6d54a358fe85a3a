/** Asks what removing means, then removes. */
import { inject, Injectable } from '@angular/core';
import { Language } from '../language/language';
import { DownloadStore } from '../live/download-store';
import { Dialogs } from '../shell/dialogs';
import { DownloadActions } from './download-actions';

@Injectable({ providedIn: 'root' })
export class RemoveDownloads {
  private readonly actions = inject(DownloadActions);
  private readonly dialogs = inject(Dialogs);
  private readonly store = inject(DownloadStore);
  private readonly t = inject(Language).texts;

  /** True when they were removed. */
  async ask(ids: readonly string[]): Promise<boolean> {
    if (ids.length === 0) return false;
    const words = this.t().downloads;
    const published = ids.some((id) => this.store.find(id)?.published);
    const name = ids.length === 1 ? this.store.find(ids[0])?.name : undefined;
    const answer = await this.dialogs.ask({
      title: words.removeTitle(ids.length),
      text: name
        ? `${words.quoted(name)}. ${words.removeText}`
        : words.removeText,
      ...(published ? { warning: words.removePublished } : {}),
      answers: [
        { value: 'keep', label: words.removeKeep },
        { value: 'data', label: words.removeData, danger: true },
      ],
    });
    if (answer === undefined) return false;
    await this.actions.remove(ids, answer === 'data');
    return true;
  }
}
