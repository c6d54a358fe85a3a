/** The ports that the node listens on; others can be chosen for its next start. */
import { Component, computed, inject, resource, signal } from '@angular/core';
import { Api, changePorts, getPorts, type PortDto } from '@dnd/api-client';
import { Language } from '../language/language';
import { Notices } from '../shell/notices';
import { Icon } from '../ui/icon';

@Component({
  selector: 'app-node-ports',
  imports: [Icon],
  template: `
    <div class="fields">
      @for (port of ports(); track port.name) {
        <label class="field">
          <span>{{ t().settings.portNames[port.name] }}</span>
          <input
            #field
            type="number"
            inputmode="numeric"
            min="1"
            max="65535"
            step="1"
            required
            [value]="port.next"
            [readonly]="port.fixed"
            [attr.aria-invalid]="wrong() === port.name ? true : null"
            (change)="enter(port, field)"
          />
          <small [class.problem]="wrong() === port.name">{{
            hint(port)
          }}</small>
        </label>
      }
    </div>
    @if (waiting()) {
      <p class="note" role="status">
        <app-icon name="info" />{{ t().settings.afterRestart }}
      </p>
    }
  `,
  styles: `
    :host {
      display: block;
    }
    .fields {
      display: grid;
      grid-template-columns: repeat(auto-fit, minmax(240px, 1fr));
      align-items: start;
      gap: 20px;
    }
    .note {
      margin: 16px 0 0;
    }
    input[readonly] {
      color: var(--mat-sys-on-surface-variant);
      background: var(--mat-sys-surface-container);
    }
  `,
})
export class NodePorts {
  private readonly api = inject(Api);
  private readonly notices = inject(Notices);
  protected readonly t = inject(Language).texts;
  protected readonly wrong = signal<string | undefined>(undefined);

  private readonly asked = resource({
    loader: () => this.api.invoke(getPorts),
  });
  protected readonly ports = computed(() =>
    this.asked.hasValue() ? this.asked.value().items : [],
  );
  protected readonly waiting = computed(() =>
    this.ports().some(({ port, next }) => port !== next),
  );

  protected hint({ name, port, next, fixed }: PortDto): string {
    const words = this.t().settings;
    if (this.wrong() === name) return words.invalid('1', '65535');
    if (fixed) return words.fixedPort;
    return next === port ? words.portHints[name] : words.portNow(port);
  }

  protected async enter(
    { name }: PortDto,
    field: HTMLInputElement,
  ): Promise<void> {
    if (!field.validity.valid) return this.wrong.set(name);
    this.wrong.set(undefined);
    try {
      const body = { [name]: field.valueAsNumber };
      this.asked.set(await this.api.invoke(changePorts, { body }));
      this.notices.say(this.t().settings.saved);
    } catch (error) {
      this.notices.fail(error);
      this.asked.reload();
    }
  }
}
