import { HttpErrorResponse } from '@angular/common/http';
import { Component, inject, signal } from '@angular/core';
import { MatButton } from '@angular/material/button';
import { Router } from '@angular/router';
import { Language } from '../language/language';
import { Logo } from '../ui/logo';
import { problemText } from './problem';
import { Session } from './session';

@Component({
  selector: 'app-sign-in',
  imports: [Logo, MatButton],
  template: `
    <form
      class="card"
      (submit)="$event.preventDefault(); enter(password.value)"
    >
      <app-logo />
      <h1>{{ t().signIn.title }}</h1>
      <p>{{ t().signIn.text }}</p>
      <label class="field">
        <span>{{ t().signIn.password }}</span>
        <input
          #password
          type="password"
          name="password"
          autocomplete="current-password"
          required
          [attr.aria-invalid]="problem() ? true : null"
          aria-describedby="sign-in-problem"
        />
      </label>
      <p id="sign-in-problem" class="problem" role="alert">{{ problem() }}</p>
      <button matButton="filled" type="submit" [disabled]="busy()">
        {{ t().signIn.button }}
      </button>
    </form>
  `,
  styles: `
    :host {
      display: grid;
      place-items: center;
      min-height: 100%;
      padding: 16px;
      box-sizing: border-box;
    }
    .card {
      display: grid;
      gap: 16px;
      width: min(100%, 380px);
      padding: 32px;
      box-sizing: border-box;
    }
    app-logo {
      --logo-size: 56px;
    }
    h1,
    p {
      margin: 0;
    }
    .problem {
      min-height: 20px;
      color: var(--mat-sys-error);
    }
  `,
})
export class SignIn {
  private readonly session = inject(Session);
  private readonly router = inject(Router);
  protected readonly t = inject(Language).texts;
  protected readonly problem = signal('');
  protected readonly busy = signal(false);

  async enter(password: string): Promise<void> {
    this.busy.set(true);
    this.problem.set('');
    try {
      await this.session.signIn(password);
      const to = this.router.routerState.snapshot.root.queryParams['to'];
      const inside = typeof to === 'string' && /^\/(?!\/)/.test(to);
      await this.router.navigateByUrl(inside ? to : '/');
    } catch (error) {
      const wrong = error instanceof HttpErrorResponse && error.status === 401;
      this.problem.set(
        wrong ? this.t().signIn.wrong : problemText(error, this.t()),
      );
    } finally {
      this.busy.set(false);
    }
  }
}
