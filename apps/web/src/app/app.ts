import { Component, computed, effect, inject, signal } from '@angular/core';
import {
  Router,
  RouterLink,
  RouterLinkActive,
  RouterOutlet,
} from '@angular/router';
import { Formats } from './language/formats';
import { Language } from './language/language';
import { DownloadStore } from './live/download-store';
import { EventStream } from './live/event-stream';
import { PublicationStore } from './live/publication-store';
import { Session } from './session/session';
import { Arrivals } from './shell/arrivals';
import { Intake } from './shell/intake';
import { LastVisit } from './shell/last-visit';
import type { PageName } from './shell/page-title';
import { Shortcuts } from './shell/shortcuts';
import { Theme } from './shell/theme';
import { Icon } from './ui/icon';
import type { IconName } from './ui/icons';
import { Logo } from './ui/logo';

/** A break shorter than this is not worth a word, ms. */
const patience = 1500;

const pages: readonly { readonly name: PageName; readonly icon: IconName }[] = [
  { name: 'files', icon: 'search' },
  { name: 'downloads', icon: 'download' },
  { name: 'publish', icon: 'upload' },
  { name: 'library', icon: 'library' },
  { name: 'ring', icon: 'ring' },
  { name: 'settings', icon: 'settings' },
];

@Component({
  selector: 'app-root',
  imports: [Icon, Logo, RouterLink, RouterLinkActive, RouterOutlet],
  templateUrl: './app.html',
  styleUrl: './app.scss',
})
export class App {
  private readonly router = inject(Router);
  private readonly session = inject(Session);
  private readonly stream = inject(EventStream);
  private readonly store = inject(DownloadStore);
  protected readonly f = inject(Formats);
  protected readonly t = inject(Language).texts;
  protected readonly intake = inject(Intake);
  protected readonly pages = pages;

  protected readonly totals = this.store.totals;
  protected readonly active = computed(() => {
    const counts = this.store.counts();
    return (
      (counts.get('downloading') ?? 0) +
      (counts.get('fetching-metadata') ?? 0) +
      (counts.get('checking') ?? 0)
    );
  });
  protected readonly lost = signal(false);
  protected readonly spoken = signal('');
  protected readonly bare = computed(
    () => this.session.required() && !this.session.signedIn(),
  );

  constructor() {
    // Hears the first snapshot, however late the pages that show it are loaded.
    inject(PublicationStore);
    inject(Theme);
    inject(Arrivals);
    inject(LastVisit);
    this.intake.watch();
    inject(Shortcuts).watch();
    effect((onCleanup) => {
      if (this.stream.state() === 'lost') {
        const timer = setTimeout(() => this.onLost(), patience);
        onCleanup(() => clearTimeout(timer));
      } else if (this.stream.state() === 'live') this.onBack();
    });
  }

  protected skip(main: HTMLElement): void {
    main.focus();
  }

  private onLost(): void {
    this.lost.set(true);
    this.spoken.set(this.t().connection.lost);
  }

  private onBack(): void {
    if (this.lost()) this.spoken.set(this.t().connection.back);
    this.lost.set(false);
  }
}
