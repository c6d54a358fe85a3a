/** One publication on its way or done: what this page has sent, then what the node tells. */
import { Component, computed, inject, input } from '@angular/core';
import { MatButton, MatIconButton } from '@angular/material/button';
import { RouterLink } from '@angular/router';
import { FileActions } from '../files/file-actions';
import { Formats } from '../language/formats';
import { Language } from '../language/language';
import { PublicationStore } from '../live/publication-store';
import { Icon } from '../ui/icon';
import { Uploads, type Upload } from './uploads';

type Phase = 'waiting' | 'moving' | 'published' | 'failed' | 'stopped';

@Component({
  selector: 'app-publication-card',
  imports: [Icon, MatButton, MatIconButton, RouterLink],
  templateUrl: './publication-card.html',
  styleUrl: './publication-card.scss',
})
export class PublicationCard {
  readonly id = input.required<string>();
  /** Where this page sends it. */
  readonly upload = input<Upload>();

  private readonly store = inject(PublicationStore);
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
    const upload = this.upload();
    const state = this.publication()?.state;
    if (upload?.state === 'stopped') return 'stopped';
    if (upload?.state === 'failed' || state === 'failed') return 'failed';
    if (upload?.state === 'done' || state === 'published') return 'published';
    return upload?.state === 'waiting' ? 'waiting' : 'moving';
  });

  /** 0 to 1 of the present step; undefined where its length is not known. */
  protected readonly part = computed(() => {
    const upload = this.upload();
    if (upload?.state === 'uploading')
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
    switch (this.phase()) {
      case 'waiting':
        return words.waiting;
      case 'stopped':
        return words.stopped;
      case 'failed':
        return `${words.failed}: ${upload?.problem ?? publication?.reason ?? ''}`;
      case 'published':
        return words.published;
      case 'moving':
    }
    if (upload?.state === 'uploading') {
      const all = this.f.bytes(this.size());
      return words.uploading(this.f.bytes(upload.sentBytes), all);
    }
    if (publication?.state === 'receiving' && !upload) {
      return words.receiving(this.f.bytes(publication.doneBytes));
    }
    if (publication?.state === 'publishing') return words.publishing;
    const part = publication?.state === 'hashing' ? this.part() : 0;
    return words.hashing(this.f.percent(part));
  });

  protected readonly replicas = computed(() => {
    const replicas = this.publication()?.replicas;
    if (!replicas) return undefined;
    const { stored, wanted, advice } = replicas;
    const safe = stored >= wanted;
    const text = safe
      ? this.t().publish.storedAll(stored)
      : this.t().publish.stored(stored, wanted);
    return { safe, text, advice: advice ?? '' };
  });
}

const share = (done: number, all: number): number =>
  all > 0 ? Math.min(1, done / all) : 1;
