/** One publication on its way or done: what this page has sent, then what the node tells. */
import { Component, computed, inject, input } from '@angular/core';
import { MatButton, MatIconButton } from '@angular/material/button';
import { RouterLink } from '@angular/router';
import { FileActions } from '../files/file-actions';
import { Formats } from '../language/formats';
import { Language } from '../language/language';
import { PublicationStore } from '../live/publication-store';
import { Dialogs } from '../shell/dialogs';
import { Notices } from '../shell/notices';
import { Icon } from '../ui/icon';
import type { IconName } from '../ui/icons';
import { pickedFrom } from './dropped-files';
import { UploadTransport } from './upload-transport';
import { Uploads, type Upload } from './uploads';

type Phase = 'waiting' | 'moving' | 'lost' | 'paused' | 'published' | 'failed';

const icons: Record<Phase, IconName> = {
  waiting: 'clock',
  moving: 'upload',
  lost: 'retry',
  paused: 'pause',
  published: 'check',
  failed: 'warning',
};

@Component({
  selector: 'app-publication-card',
  imports: [Icon, MatButton, MatIconButton, RouterLink],
  templateUrl: './publication-card.html',
  styleUrl: './publication-card.scss',
})
export class PublicationCard {
  /** Of the publication and of its upload. */
  readonly id = input.required<string>();
  /** Where this page sends it. */
  readonly upload = input<Upload>();

  private readonly dialogs = inject(Dialogs);
  private readonly notices = inject(Notices);
  private readonly store = inject(PublicationStore);
  private readonly transport = inject(UploadTransport);
  protected readonly actions = inject(FileActions);
  protected readonly uploads = inject(Uploads);
  protected readonly f = inject(Formats);
  protected readonly t = inject(Language).texts;

  protected readonly publication = computed(() => this.store.find(this.id()));
  protected readonly name = computed(
    () => this.publication()?.name || this.upload()?.draft.name || '',
  );
  protected readonly size = computed(
    () => this.upload()?.draft.size ?? this.publication()?.size ?? 0,
  );
  protected readonly files = computed(
    () => this.upload()?.draft.files.length ?? this.publication()?.files ?? 1,
  );

  protected readonly phase = computed<Phase>(() => {
    const upload = this.upload()?.state;
    if (upload === 'uploading') return 'moving';
    if (upload !== undefined && upload !== 'sent') return upload;
    const state = this.publication()?.state;
    if (state === 'failed' || state === 'published') return state;
    return state === 'paused' && !upload ? 'paused' : 'moving';
  });
  protected readonly icon = computed(() => icons[this.phase()]);

  /** 0 to 1 of the present step. */
  protected readonly part = computed(() => {
    const upload = this.upload();
    if (upload && upload.state !== 'sent')
      return share(upload.sentBytes, this.size());
    const publication = this.publication();
    if (publication?.state === 'publishing') return 1;
    if (publication?.state === 'receiving' && upload) return 1;
    return publication ? share(publication.doneBytes, publication.size) : 0;
  });

  protected readonly percent = computed(() => Math.floor(100 * this.part()));

  protected readonly words = computed(() => {
    const words = this.t().publish;
    const upload = this.upload();
    const publication = this.publication();
    const sent = upload?.sentBytes ?? publication?.doneBytes ?? 0;
    const done = this.f.bytes(sent);
    const all = this.f.bytes(this.size());
    switch (this.phase()) {
      case 'waiting':
        return words.waiting;
      case 'paused':
        return words.pausedAt(done, all);
      case 'lost':
        return words.lost;
      case 'failed':
        return `${words.failed}: ${upload?.problem ?? publication?.reason ?? ''}`;
      case 'published':
        return words.published;
      case 'moving':
    }
    if (upload?.state === 'uploading') return words.uploading(done, all);
    if (publication?.state === 'receiving' && !upload)
      return words.receiving(done);
    if (publication?.state === 'publishing') return words.publishing;
    const part = publication?.state === 'hashing' ? this.part() : 0;
    return words.hashing(this.f.percent(part));
  });

  /** How fast, and how long still. */
  protected readonly pace = computed(() => {
    const { rate = 0, sentBytes = 0 } = this.upload() ?? {};
    if (rate <= 0 || this.phase() !== 'moving') return '';
    const left = this.f.duration((this.size() - sentBytes) / rate);
    return `${this.f.rate(rate)} · ${this.t().downloads.left(left)}`;
  });

  protected readonly replicas = computed(() => {
    const replicas = this.publication()?.replicas;
    if (!replicas) return undefined;
    const { stored, wanted, reason } = replicas;
    const safe = stored >= wanted;
    const text = safe
      ? this.t().publish.storedAll(stored)
      : this.t().publish.stored(stored, wanted);
    return { safe, text, advice: reason && this.t().publish.replicas[reason] };
  });

  protected readonly canDiscard = computed(() => {
    const upload = this.upload();
    if (!upload) return this.phase() === 'paused';
    return upload.state !== 'sent' || this.phase() === 'failed';
  });

  /** Asks for the files of an upload of an earlier visit. */
  protected async chooseAgain(
    file: HTMLInputElement,
    folder: HTMLInputElement,
  ): Promise<void> {
    try {
      const { files } = await this.transport.look(this.id());
      const isFolder = files.every(({ path }) => path.includes('/'));
      (isFolder ? folder : file).click();
    } catch (error) {
      this.notices.fail(error);
    }
  }

  protected async chosen(input: HTMLInputElement): Promise<void> {
    const files = pickedFrom(input.files ?? []).flatMap((item) => item.files);
    input.value = '';
    try {
      if (await this.uploads.goOn(this.id(), files)) return;
      this.notices.warn(this.t().publish.notSame(this.name()));
    } catch (error) {
      this.notices.fail(error);
    }
  }

  /** Asks first where something has been sent. */
  protected async discard(): Promise<void> {
    const words = this.t().publish;
    const upload = this.upload();
    const sentBytes = upload?.sentBytes ?? 0;
    const sent = Math.max(sentBytes, this.publication()?.doneBytes ?? 0);
    const answer =
      sent === 0 ||
      (await this.dialogs.ask({
        title: words.discardTitle,
        text: words.discardText(this.name(), this.f.bytes(sent)),
        answers: [
          { value: 'discard', label: words.discardAction, danger: true },
        ],
      }));
    if (!answer) return;
    if (upload) await this.uploads.discard(upload.id);
    else await this.uploads.discardOnNode(this.id());
  }
}

const share = (done: number, all: number): number =>
  all > 0 ? Math.min(1, done / all) : 1;
