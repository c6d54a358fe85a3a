/** A second pair of limits: never, always, or at certain times of the week. */
import { Component, inject, input, output } from '@angular/core';
import { MatButton, MatIconButton } from '@angular/material/button';
import type {
  LimitRuleDto,
  SettingsDto,
  UpdateSettingsDto,
} from '@dnd/api-client';
import { Formats } from '../language/formats';
import { Language } from '../language/language';
import { Icon } from '../ui/icon';
import { LimitField } from './limit-field';
import { toggleDay } from './limit-rules';

const firstRule: LimitRuleDto = {
  days: [1, 2, 3, 4, 5],
  from: '08:00',
  to: '18:00',
};
/** As many as the node takes. */
const maxRules = 50;

@Component({
  selector: 'app-alternative-limits',
  imports: [Icon, LimitField, MatButton, MatIconButton],
  templateUrl: './alternative-limits.html',
  styleUrl: './alternative-limits.scss',
})
export class AlternativeLimits {
  readonly settings = input.required<SettingsDto>();
  readonly changed = output<UpdateSettingsDto>();

  protected readonly f = inject(Formats);
  protected readonly t = inject(Language).texts;
  protected readonly modes = ['off', 'on', 'schedule'] as const;
  protected readonly week = [1, 2, 3, 4, 5, 6, 7];
  protected readonly maxRules = maxRules;

  protected choose(alternative: SettingsDto['alternative']): void {
    const { schedule } = this.settings();
    const empty = alternative === 'schedule' && schedule.length === 0;
    this.changed.emit({
      alternative,
      ...(empty ? { schedule: [firstRule] } : {}),
    });
  }

  protected add(): void {
    const { schedule } = this.settings();
    this.changed.emit({
      schedule: [...schedule, schedule.at(-1) ?? firstRule],
    });
  }

  protected remove(index: number): void {
    this.changed.emit({
      schedule: this.settings().schedule.filter((_, i) => i !== index),
    });
  }

  protected toggle(index: number, day: number): void {
    const { days } = this.settings().schedule[index];
    this.edit(index, { days: toggleDay(days, day) });
  }

  /** A half-typed time is not sent. */
  protected time(index: number, end: 'from' | 'to', value: string): void {
    if (/^\d\d:\d\d$/.test(value)) this.edit(index, { [end]: value });
  }

  private edit(index: number, change: Partial<LimitRuleDto>): void {
    this.changed.emit({
      schedule: this.settings().schedule.map((rule, i) =>
        i === index ? { ...rule, ...change } : rule,
      ),
    });
  }
}
