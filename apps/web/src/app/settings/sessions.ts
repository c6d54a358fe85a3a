/** Who is signed in to this node, and its password. */
import { HttpErrorResponse } from '@angular/common/http';
import { Component, computed, inject, resource, signal } from '@angular/core';
import { MatButton } from '@angular/material/button';
import {
  Api,
  changePassword,
  listSessions,
  signOutOthers,
  signOutSession,
} from '@dnd/api-client';
import { Formats } from '../language/formats';
import { Language } from '../language/language';
import { problemText } from '../session/problem';
import { Session } from '../session/session';
import { Notices } from '../shell/notices';
import { Clock } from '../ui/clock';
import { browserOf } from './browser-of';

@Component({
  selector: 'app-sessions',
  imports: [MatButton],
  templateUrl: './sessions.html',
  styleUrl: './sessions.scss',
})
export class Sessions {
  private readonly api = inject(Api);
  private readonly notices = inject(Notices);
  private readonly session = inject(Session);
  protected readonly clock = inject(Clock);
  protected readonly f = inject(Formats);
  protected readonly t = inject(Language).texts;
  protected readonly browserOf = browserOf;

  private readonly asked = resource({
    loader: () => this.api.invoke(listSessions),
  });
  protected readonly sessions = computed(() =>
    this.asked.hasValue() ? this.asked.value().items : [],
  );
  protected readonly changeable = computed(
    () => this.asked.hasValue() && this.asked.value().canChangePassword,
  );
  protected readonly others = computed(() =>
    this.sessions().some(({ current }) => !current),
  );
  protected readonly busy = signal(false);
  protected readonly problem = signal('');

  protected async signOut(): Promise<void> {
    try {
      await this.session.signOut();
    } catch (error) {
      this.notices.fail(error);
    }
  }

  protected end(session: string): Promise<void> {
    return this.act(() => this.api.invoke(signOutSession, { session }));
  }

  protected endOthers(): Promise<void> {
    return this.act(() => this.api.invoke(signOutOthers));
  }

  protected async changePassword(form: HTMLFormElement): Promise<void> {
    const values = new FormData(form);
    const read = (name: string): string => String(values.get(name) ?? '');
    const [current, next] = [read('current'), read('next')];
    const words = this.t().settings;
    this.problem.set('');
    if (next !== read('again')) return this.problem.set(words.passwordsDiffer);
    this.busy.set(true);
    try {
      await this.api.invoke(changePassword, { body: { current, next } });
      form.reset();
      this.notices.say(words.passwordChanged);
      this.asked.reload();
    } catch (error) {
      const wrong = error instanceof HttpErrorResponse && error.status === 403;
      this.problem.set(
        wrong ? words.wrongPassword : problemText(error, this.t()),
      );
    } finally {
      this.busy.set(false);
    }
  }

  private async act(request: () => Promise<unknown>): Promise<void> {
    try {
      await request();
    } catch (error) {
      this.notices.fail(error);
    }
    this.asked.reload();
  }
}
