/** Takes what is dropped or pasted anywhere: magnet links and .torrents are downloaded, other files published. */
import { DOCUMENT, inject, Injectable, Injector, signal } from '@angular/core';
import { Router } from '@angular/router';
import { DownloadActions } from '../downloads/download-actions';
import { isTorrent, readLink } from '../downloads/links';
import { Formats } from '../language/formats';
import { Language } from '../language/language';
import { Drafts } from '../publish/drafts';
import {
  maxFiles,
  pickedFrom,
  pickedFromDrop,
  TooManyFiles,
  type Picked,
} from '../publish/dropped-files';
import { Notices } from './notices';

@Injectable({ providedIn: 'root' })
export class Intake {
  private readonly document = inject(DOCUMENT);
  private readonly actions = inject(DownloadActions);
  private readonly drafts = inject(Drafts);
  private readonly formats = inject(Formats);
  private readonly notices = inject(Notices);
  private readonly injector = inject(Injector);
  private readonly router = inject(Router);
  private readonly t = inject(Language).texts;
  private readonly over = signal(false);
  private depth = 0;

  /** Something that can be taken hovers over the page. */
  readonly hovering = this.over.asReadonly();

  watch(): void {
    const { document } = this;
    document.addEventListener('dragenter', (event) => this.onEnter(event));
    document.addEventListener('dragleave', () => this.onLeave());
    document.addEventListener('dragover', (event) => {
      if (takes(event)) event.preventDefault();
    });
    document.addEventListener('drop', (event) => this.onDrop(event));
    document.addEventListener('paste', (event) => this.onPaste(event));
  }

  /** Downloads the .torrents among them and puts the rest on the publish page. */
  async take(picked: readonly Picked[]): Promise<void> {
    const torrents = picked.filter((item) => !item.folder && isTorrent(item));
    const rest = picked.filter((item) => !torrents.includes(item));
    for (const { files } of torrents) {
      await this.actions.addTorrent(files[0].file);
    }
    if (rest.length === 0) return;
    if (rest.every(({ files }) => files.length === 0)) {
      this.notices.warn(this.t().publish.emptyFolder);
      return;
    }
    // The first load does without it.
    const { Uploads } = await import('../publish/uploads');
    this.drafts.add(await this.injector.get(Uploads).recognise(rest));
    await this.router.navigate(['/publish']);
  }

  private onEnter(event: DragEvent): void {
    if (!takes(event)) return;
    event.preventDefault();
    this.depth++;
    this.over.set(true);
  }

  private onLeave(): void {
    this.depth = Math.max(0, this.depth - 1);
    if (this.depth === 0) this.over.set(false);
  }

  private onDrop(event: DragEvent): void {
    this.depth = 0;
    this.over.set(false);
    const data = event.dataTransfer;
    if (!data || !takes(event)) return;
    event.preventDefault();
    if (data.types.includes('Files')) {
      void this.guarded(pickedFromDrop(data));
    } else this.takeText(data.getData('text/plain'));
  }

  private onPaste(event: ClipboardEvent): void {
    const { target } = event;
    const typing =
      target instanceof Element &&
      target.closest('input, textarea, [contenteditable]');
    if (typing) return;
    const data = event.clipboardData;
    if (data && data.files.length > 0) {
      event.preventDefault();
      void this.guarded(Promise.resolve(pickedFrom(data.files)));
    } else if (data) this.takeText(data.getData('text/plain'));
  }

  private takeText(text: string): void {
    for (const line of text.split(/\s*\n\s*/).slice(0, 100)) {
      const link = readLink(line);
      if (link) void this.actions.add(link);
    }
  }

  private async guarded(picked: Promise<Picked[]>): Promise<void> {
    try {
      await this.take(await picked);
    } catch (error) {
      if (error instanceof TooManyFiles) {
        const max = this.formats.number(maxFiles);
        this.notices.warn(this.t().publish.tooMany(max));
      } else this.notices.fail(error);
    }
  }
}

/** Files from outside, or a link; not a drag that began on this page. */
function takes(event: DragEvent): boolean {
  const types = event.dataTransfer?.types ?? [];
  return types.includes('Files') || types.includes('text/uri-list');
}
