/** What may be done with an entry of the catalogue. */
import { DOCUMENT, inject, Injectable } from '@angular/core';
import { Router } from '@angular/router';
import { Api, getCatalogueEntry, getMagnet } from '@dnd/api-client';
import { DownloadActions } from '../downloads/download-actions';
import { Language } from '../language/language';
import { DownloadStore } from '../live/download-store';
import { Dialogs } from '../shell/dialogs';
import { Notices } from '../shell/notices';
import { Clipboard } from '../ui/clipboard';
import { showOf } from '../ui/kinds';

@Injectable({ providedIn: 'root' })
export class FileActions {
  private readonly api = inject(Api);
  private readonly actions = inject(DownloadActions);
  private readonly clipboard = inject(Clipboard);
  private readonly dialogs = inject(Dialogs);
  private readonly document = inject(DOCUMENT);
  private readonly notices = inject(Notices);
  private readonly router = inject(Router);
  private readonly store = inject(DownloadStore);
  private readonly t = inject(Language).texts;

  /** All of it, or the files with these indexes. */
  async download(infoHash: string, files?: readonly number[]): Promise<void> {
    await this.actions.add({
      infoHash,
      ...(files ? { files: [...files] } : {}),
    });
  }

  async downloadAll(infoHashes: readonly string[]): Promise<void> {
    for (const infoHash of infoHashes) {
      if (!this.store.find(infoHash)) await this.download(infoHash);
    }
  }

  /** Plays it while it downloads: the first file that the page can show, or the one given. */
  async stream(infoHash: string, path?: string): Promise<void> {
    if (!this.store.find(infoHash)) {
      const body = { infoHash, sequential: true };
      if (!(await this.actions.add(body))) return;
    }
    await this.openFile(infoHash, path ?? (await this.best(infoHash)));
  }

  openFile(infoHash: string, path: string | undefined): Promise<boolean> {
    return this.router.navigate(['/view', infoHash], {
      queryParams: path === undefined ? {} : { file: path },
    });
  }

  saveTorrent(infoHash: string): void {
    const link = this.document.createElement('a');
    link.href = `/api/catalogue/${infoHash}/torrent`;
    link.download = '';
    link.click();
  }

  async copyMagnet(infoHash: string): Promise<void> {
    const magnet = await this.magnet(infoHash);
    if (magnet) await this.clipboard.copy(magnet, this.t().files.magnetCopied);
  }

  async showQr(infoHash: string): Promise<void> {
    const magnet = await this.magnet(infoHash);
    if (magnet) await this.dialogs.magnet(magnet);
  }

  showOnRing(infoHash: string): void {
    void this.router.navigate(['/ring'], { queryParams: { key: infoHash } });
  }

  private async magnet(infoHash: string): Promise<string | undefined> {
    try {
      return (await this.api.invoke(getMagnet, { infoHash })).magnet;
    } catch (error) {
      this.notices.fail(error);
      return undefined;
    }
  }

  private async best(infoHash: string): Promise<string | undefined> {
    try {
      const { tree } = await this.api.invoke(getCatalogueEntry, { infoHash });
      const largest = [...tree].sort((a, b) => b.size - a.size);
      return (largest.find(({ path }) => showOf(path)) ?? largest.at(0))?.path;
    } catch {
      return undefined;
    }
  }
}
