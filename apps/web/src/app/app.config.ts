import {
  type ApplicationConfig,
  inject,
  provideAppInitializer,
  provideBrowserGlobalErrorListeners,
} from '@angular/core';
import { provideHttpClient, withInterceptors } from '@angular/common/http';
import {
  provideRouter,
  TitleStrategy,
  withComponentInputBinding,
} from '@angular/router';
import { provideApiConfiguration } from '@dnd/api-client';
import { appRoutes } from './app.routes';
import { Language } from './language/language';
import { watchSession } from './session/session';
import { PageTitle } from './shell/page-title';

export const appConfig: ApplicationConfig = {
  providers: [
    provideBrowserGlobalErrorListeners(),
    provideRouter(appRoutes, withComponentInputBinding()),
    provideHttpClient(withInterceptors([watchSession])),
    provideApiConfiguration(''),
    provideAppInitializer(() => inject(Language).start()),
    { provide: TitleStrategy, useExisting: PageTitle },
  ],
};
