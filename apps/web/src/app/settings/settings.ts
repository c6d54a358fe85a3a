import { Component, computed, inject, resource, signal } from '@angular/core';
import { MatButton } from '@angular/material/button';
import { MatProgressBar } from '@angular/material/progress-bar';
import {
  Api,
  changeSettings,
  getSettings,
  health,
  type UpdateSettingsDto,
} from '@dnd/api-client';
import { Formats } from '../language/formats';
import { Language, languages, type LanguageCode } from '../language/language';
import { problemText } from '../session/problem';
import { Session } from '../session/session';
import { Arrivals } from '../shell/arrivals';
import { Dialogs } from '../shell/dialogs';
import { Notices } from '../shell/notices';
import { Theme, themes, type ThemeName } from '../shell/theme';
import { Icon } from '../ui/icon';
import type { IconName } from '../ui/icons';
import { AlternativeLimits } from './alternative-limits';
import { LimitField } from './limit-field';
import { NodeFolders } from './node-folders';
import { NodePorts } from './node-ports';
import { Sessions } from './sessions';

type NumberSetting = 'maxActiveDownloads' | 'seedRatio' | 'seedMinutes';

@Component({
  selector: 'app-settings',
  imports: [
    AlternativeLimits,
    Icon,
    LimitField,
    MatButton,
    MatProgressBar,
    NodeFolders,
    NodePorts,
    Sessions,
  ],
  templateUrl: './settings.html',
  styleUrl: './settings.scss',
})
export class Settings {
  private readonly api = inject(Api);
  private readonly notices = inject(Notices);
  protected readonly arrivals = inject(Arrivals);
  protected readonly dialogs = inject(Dialogs);
  protected readonly f = inject(Formats);
  protected readonly language = inject(Language);
  protected readonly session = inject(Session);
  protected readonly theme = inject(Theme);
  protected readonly t = this.language.texts;

  protected readonly themes = themes;
  protected readonly themeIcons: Record<ThemeName, IconName> = {
    auto: 'auto',
    light: 'sun',
    dark: 'moon',
    contrast: 'contrast',
  };
  protected readonly languages = Object.entries(languages).map(
    ([code, name]) => ({ code: code as LanguageCode, name }),
  );
  protected readonly modes = [
    'off',
    'accepted',
    'preferred',
    'required',
  ] as const;
  protected readonly wrong = signal<string | undefined>(undefined);

  private readonly asked = resource({
    loader: () => this.api.invoke(getSettings),
  });
  private pending = 0;
  private last: Promise<void> = Promise.resolve();
  private readonly about = resource({ loader: () => this.api.invoke(health) });
  protected readonly settings = computed(() =>
    this.asked.hasValue() ? this.asked.value() : undefined,
  );
  protected readonly version = computed(() =>
    this.about.hasValue() ? this.about.value().version : '',
  );
  protected readonly problem = computed(() => {
    const error = this.asked.error();
    return error ? problemText(error.cause ?? error, this.t()) : '';
  });

  protected async change(change: UpdateSettingsDto): Promise<void> {
    this.wrong.set(undefined);
    // Shown at once: the next change may build upon this one before the node has answered.
    const known = this.settings();
    if (known) this.asked.set({ ...known, ...change });
    this.pending++;
    const turn = this.last.then(() => this.send(change));
    this.last = turn;
    await turn;
  }

  private async send(change: UpdateSettingsDto): Promise<void> {
    try {
      const after = await this.api.invoke(changeSettings, { body: change });
      // An answer that is older than the last change would take it back.
      if (--this.pending === 0) this.asked.set(after);
      this.notices.say(this.t().settings.saved);
    } catch (error) {
      this.pending--;
      this.notices.fail(error);
      this.asked.reload();
    }
  }

  protected rename(name: string): void {
    if (name.trim() === '') this.wrong.set('name');
    else void this.change({ name: name.trim() });
  }

  protected enter(setting: NumberSetting, field: HTMLInputElement): void {
    if (!field.validity.valid || field.value === '') {
      this.wrong.set(setting);
      return;
    }
    void this.change({ [setting]: field.valueAsNumber });
  }

  protected async notify(wanted: boolean): Promise<void> {
    if (await this.arrivals.want(wanted)) return;
    this.notices.warn(this.t().settings.notifyDenied);
  }

  protected registerMagnet(): void {
    const words = this.t().settings;
    try {
      const url = new URL('add?link=%s', document.baseURI).href;
      navigator.registerProtocolHandler('magnet', url);
      this.notices.say(words.magnetDone);
    } catch {
      this.notices.warn(words.magnetFailed);
    }
  }
}
