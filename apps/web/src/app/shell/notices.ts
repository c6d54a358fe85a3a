/** Short messages at the edge of the page, read out by screen readers; at most one at a time. */
import { inject, Injectable } from '@angular/core';
import { MatSnackBar } from '@angular/material/snack-bar';
import { Language } from '../language/language';
import { problemText } from '../session/problem';

const short = 4000;
const long = 8000;

@Injectable({ providedIn: 'root' })
export class Notices {
  private readonly bar = inject(MatSnackBar);
  private readonly language = inject(Language);

  say(text: string): void {
    this.bar.open(text, undefined, { duration: short });
  }

  /** A message with one thing to do about it. */
  offer(text: string, action: string, act: () => void): void {
    const shown = this.bar.open(text, action, { duration: long });
    shown.onAction().subscribe(act);
  }

  fail(error: unknown): void {
    this.warn(problemText(error, this.language.texts()));
  }

  warn(text: string): void {
    this.bar.open(text, this.language.texts().actions.close, {
      duration: long,
      politeness: 'assertive',
    });
  }
}
