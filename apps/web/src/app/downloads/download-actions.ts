/** Everything a user may do to downloads, one or many at a time, with what is said about it. */
import { DOCUMENT, inject, Injectable, signal } from '@angular/core';
import { Router } from '@angular/router';
import {
  addDownload$FormData,
  addDownload$Json,
  Api,
  cancelDownload,
  pauseDownload,
  recheckDownload,
  removeDownload,
  resumeDownload,
  retryDownload,
  type AddDownloadDto,
  type DownloadDto,
} from '@dnd/api-client';
import { Language } from '../language/language';
import { DownloadStore } from '../live/download-store';
import { problemText } from '../session/problem';
import { Notices } from '../shell/notices';
import { can, type Act } from './download-words';

const requests = {
  pause: pauseDownload,
  resume: resumeDownload,
  cancel: cancelDownload,
  retry: retryDownload,
  recheck: recheckDownload,
};
/** Requests of one bulk action that run at once. */
const atOnce = 8;
/** How long a cancelled download can be taken back, ms: as long as its message is shown. */
const undoTime = 8000;

@Injectable({ providedIn: 'root' })
export class DownloadActions {
  private readonly api = inject(Api);
  private readonly store = inject(DownloadStore);
  private readonly notices = inject(Notices);
  private readonly router = inject(Router);
  private readonly t = inject(Language).texts;
  private readonly ending = signal<ReadonlySet<string>>(new Set());

  /** Downloads that are about to be cancelled: lists leave them out, Undo brings them back. */
  readonly leaving = this.ending.asReadonly();

  constructor() {
    // A page that closes does not wait for Undo any more.
    inject(DOCUMENT).defaultView?.addEventListener('pagehide', () => {
      for (const id of this.ending()) {
        navigator.sendBeacon(`/api/downloads/${id}/cancel`);
      }
    });
  }

  /** Starts a download and says so. Undefined when it could not be started. */
  async add(body: AddDownloadDto): Promise<DownloadDto | undefined> {
    return this.started(
      this.api.invoke(addDownload$Json, { body: body as never }),
    );
  }

  async addTorrent(
    torrent: File,
    sequential = false,
  ): Promise<DownloadDto | undefined> {
    return this.started(
      this.api.invoke(addDownload$FormData, { body: { sequential, torrent } }),
    );
  }

  pause(ids: readonly string[]): Promise<void> {
    return this.act('pause', ids);
  }

  resume(ids: readonly string[]): Promise<void> {
    return this.act('resume', ids);
  }

  retry(ids: readonly string[]): Promise<void> {
    return this.act('retry', ids);
  }

  recheck(ids: readonly string[]): Promise<void> {
    return this.act('recheck', ids);
  }

  /** Pauses at once; cancels, which deletes data, when Undo was not pressed in time. */
  async cancel(ids: readonly string[]): Promise<void> {
    const chosen = this.possible('cancel', ids);
    if (chosen.length === 0) return;
    const running = this.possible('pause', ids).map(({ id }) => id);
    const chosenIds = chosen.map(({ id }) => id);
    this.mark(chosenIds, true);
    const timer = setTimeout(() => {
      void this.act('cancel', chosenIds).finally(() =>
        this.mark(chosenIds, false),
      );
    }, undoTime);
    const words = this.t().downloads;
    const text =
      chosen.length === 1
        ? words.cancelled(chosen[0].name)
        : words.cancelledMany(chosen.length);
    const paused = this.act('pause', running);
    this.notices.offer(text, this.t().actions.undo, () => {
      clearTimeout(timer);
      this.mark(chosenIds, false);
      void paused.then(() => this.act('resume', running));
    });
    await paused;
  }

  async remove(ids: readonly string[], data: boolean): Promise<void> {
    const gone = (id: string): void =>
      this.store.apply([{ type: 'download-removed', data: { id } }]);
    await this.each(ids, async (id) => {
      await this.api.invoke(removeDownload, { id, data });
      gone(id);
    });
  }

  private possible(act: Act, ids: readonly string[]): DownloadDto[] {
    return ids
      .map((id) => this.store.find(id))
      .filter((download) => download !== undefined)
      .filter((download) => can(act, download));
  }

  private act(act: Act, ids: readonly string[]): Promise<void> {
    const chosen = this.possible(act, ids).map(({ id }) => id);
    return this.each(chosen, async (id) =>
      this.store.put(await this.api.invoke(requests[act], { id })),
    );
  }

  /** Runs one request an id, a few at a time, and tells once how many failed. */
  private async each(
    ids: readonly string[],
    request: (id: string) => Promise<void>,
  ): Promise<void> {
    const waiting = [...ids];
    const errors: unknown[] = [];
    const worker = async (): Promise<void> => {
      for (let id = waiting.shift(); id; id = waiting.shift()) {
        await request(id).catch((error) => errors.push(error));
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
    if (errors.length === 0) return;
    const why = problemText(errors[0], this.t());
    this.notices.warn(
      ids.length === 1
        ? why
        : this.t().downloads.someFailed(errors.length, ids.length, why),
    );
  }

  private async started(
    answer: Promise<DownloadDto>,
  ): Promise<DownloadDto | undefined> {
    try {
      const download = await answer;
      this.store.put(download);
      this.notices.offer(
        this.t().downloads.added1(download.name || download.id),
        this.t().actions.view,
        () => void this.router.navigate(['/downloads', download.id]),
      );
      return download;
    } catch (error) {
      this.notices.fail(error);
      return undefined;
    }
  }

  private mark(ids: readonly string[], leaving: boolean): void {
    this.ending.update((before) => {
      const after = new Set(before);
      for (const id of ids) {
        if (leaving) after.add(id);
        else after.delete(id);
      }
      return after;
    });
  }
}
