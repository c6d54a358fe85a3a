import { Component, computed, inject, signal } from '@angular/core';
import { MatButton, MatIconButton } from '@angular/material/button';
import { kindOf } from '@dnd/kinds';
import { Formats } from '../language/formats';
import { Language } from '../language/language';
import { Notices } from '../shell/notices';
import { Icon } from '../ui/icon';
import { kindIcons } from '../ui/kinds';
import { Drafts, type Draft } from './drafts';
import { maxFiles, pickedFrom, TooManyFiles } from './dropped-files';
import { PublicationCard } from './publication-card';
import { Uploads } from './uploads';

@Component({
  selector: 'app-publish',
  imports: [Icon, MatButton, MatIconButton, PublicationCard],
  templateUrl: './publish.html',
  styleUrl: './publish.scss',
})
export class Publish {
  private readonly notices = inject(Notices);
  protected readonly drafts = inject(Drafts);
  protected readonly uploads = inject(Uploads);
  protected readonly f = inject(Formats);
  protected readonly t = inject(Language).texts;

  protected readonly formats = ['', 'hybrid', 'v1', 'v2'] as const;
  /** Powers of two from 16 KiB to 64 MiB, bytes. */
  protected readonly pieceLengths = Array.from(
    { length: 13 },
    (_, n) => 16_384 * 2 ** n,
  );
  protected readonly folderName = signal('');
  protected readonly together = signal(false);
  protected readonly joining = computed(
    () => this.together() && this.drafts.canJoin(),
  );

  protected async choose(input: HTMLInputElement): Promise<void> {
    try {
      const picked = pickedFrom(input.files ?? []);
      input.value = '';
      this.drafts.add(await this.uploads.recognise(picked));
    } catch (error) {
      if (!(error instanceof TooManyFiles)) throw error;
      this.notices.warn(this.t().publish.tooMany(this.f.number(maxFiles)));
    }
  }

  protected iconOf(draft: Draft) {
    return draft.folder ? 'folder' : kindIcons[kindOf(draft.name)];
  }

  protected formatName(format: (typeof this.formats)[number]): string {
    return this.t().publish.formats[format === '' ? 'auto' : format];
  }

  /** Piece lengths are told in powers of two everywhere. */
  protected pieceName(length: number): string {
    const kibi = length / 1024;
    return kibi < 1024 ? `${kibi} KiB` : `${kibi / 1024} MiB`;
  }

  protected submit(): void {
    if (this.joining()) {
      const [first, ...rest] = this.drafts.all().filter((d) => !d.folder);
      this.drafts.join(
        this.folderName().trim() || `${first.name} + ${rest.length}`,
      );
    }
    this.uploads.start(this.drafts.take());
    this.together.set(false);
    this.folderName.set('');
  }
}
