/** Short messages at the edge of the page, read out by screen readers; at most one at a time. */
import { inject, Injectable, Injector } from '@angular/core';
import type { MatSnackBar } from '@angular/material/snack-bar';
import { Language } from '../language/language';
import { problemText } from '../session/problem';

const short = 4000;
const long = 8000;

@Injectable({ providedIn: 'root' })
export class Notices {
  private readonly injector = inject(Injector);
  private readonly language = inject(Language);
  /** No part of the first script, but fetched at once: it must be here when the node is not. */
  private readonly code = import('@angular/material/snack-bar');

  say(text: string): void {
    void this.withBar((bar) => bar.open(text, undefined, { duration: short }));
  }

  /** A message with one thing to do about it. */
  offer(text: string, action: string, act: () => void): void {
    void this.withBar((bar) =>
      bar.open(text, action, { duration: long }).onAction().subscribe(act),
    );
  }

  fail(error: unknown): void {
    this.warn(problemText(error, this.language.texts()));
  }

  warn(text: string): void {
    const { close } = this.language.texts().actions;
    void this.withBar((bar) =>
      bar.open(text, close, { duration: long, politeness: 'assertive' }),
    );
  }

  private async withBar(show: (bar: MatSnackBar) => unknown): Promise<void> {
    const { MatSnackBar } = await this.code;
    show(this.injector.get(MatSnackBar));
  }
}
