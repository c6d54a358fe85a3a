/** Whether the node asks for a password, and has had it. The event stream runs while it has. */
import {
  HttpErrorResponse,
  type HttpInterceptorFn,
} from '@angular/common/http';
import {
  computed,
  effect,
  inject,
  Injectable,
  Injector,
  signal,
  untracked,
} from '@angular/core';
import { type CanActivateFn, Router } from '@angular/router';
import {
  Api,
  getSession,
  signIn,
  signOut,
  type SessionDto,
} from '@dnd/api-client';
import { catchError, throwError } from 'rxjs';
import { EventStream } from '../live/event-stream';

@Injectable({ providedIn: 'root' })
export class Session {
  private readonly api = inject(Api);
  private readonly router = inject(Router);
  private readonly events = inject(EventStream);
  private readonly told = signal<SessionDto | undefined>(undefined);

  readonly required = computed(() => this.told()?.required ?? false);
  readonly signedIn = computed(() => this.told()?.signedIn ?? false);

  constructor() {
    // An event stream does not tell a session that has ended from a node that is away.
    effect(() => {
      if (this.events.failures() > 0) untracked(() => void this.look());
    });
  }

  /** True when the pages may be shown. An unreachable node counts as open: the pages then say what is wrong. */
  async check(): Promise<boolean> {
    const known = this.told();
    if (known?.signedIn) return true;
    try {
      this.take(await this.api.invoke(getSession));
      return this.signedIn();
    } catch {
      this.events.start();
      return true;
    }
  }

  async signIn(password: string): Promise<void> {
    this.take(await this.api.invoke(signIn, { body: { password } }));
  }

  async signOut(): Promise<void> {
    await this.api.invoke(signOut);
    this.expired();
  }

  /** The node does not know this browser (any more). */
  expired(): void {
    if (this.told()?.signedIn === false) return;
    this.events.stop();
    this.told.set({ required: true, signedIn: false });
    void this.router.navigate(['/sign-in'], {
      queryParams: { to: this.router.url },
    });
  }

  private async look(): Promise<void> {
    try {
      const { required, signedIn } = await this.api.invoke(getSession);
      if (required && !signedIn) this.expired();
    } catch {
      // The stream is tried again, and tells.
    }
  }

  private take(session: SessionDto): void {
    this.told.set(session);
    if (session.signedIn) this.events.start();
  }
}

export const signedIn: CanActivateFn = async (_route, state) => {
  const router = inject(Router);
  return (
    (await inject(Session).check()) ||
    router.createUrlTree(['/sign-in'], { queryParams: { to: state.url } })
  );
};

export const watchSession: HttpInterceptorFn = (request, next) => {
  const injector = inject(Injector);
  return next(request).pipe(
    catchError((error: unknown) => {
      const lost = error instanceof HttpErrorResponse && error.status === 401;
      if (lost && !request.url.endsWith('/api/session')) {
        injector.get(Session).expired();
      }
      return throwError(() => error);
    }),
  );
};
