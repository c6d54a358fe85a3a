/** Where the node keeps its files, with the room there. What it shows is chosen when the node is started. */
import { Component, computed, inject, resource } from '@angular/core';
import { Api, getFolders } from '@dnd/api-client';
import { Formats } from '../language/formats';
import { Language } from '../language/language';

@Component({
  selector: 'app-node-folders',
  template: `
    @if (folders(); as known) {
      <dl>
        <dt>Storage</dt>
        <dd>
          <code>{{ known.storage }}</code>
          <span
            class="bar"
            role="meter"
            aria-valuemin="0"
            aria-valuemax="100"
            [attr.aria-valuenow]="used()"
            [attr.aria-label]="room()"
          >
            <span [style.transform]="'scaleX(' + used() / 100 + ')'"></span>
          </span>
          <small>{{ room() }}</small>
        </dd>
        <dt>{{ t().settings.shares }}</dt>
        <dd>
          @for (share of known.shares; track share) {
            <code>{{ share }}</code>
          } @empty {
            <small>{{ t().settings.noShares }}</small>
          }
        </dd>
      </dl>
      <p class="hint">{{ t().settings.foldersHint }}</p>
    }
  `,
  styles: `
    dl {
      display: grid;
      grid-template-columns: minmax(100px, auto) 1fr;
      gap: 16px 24px;
      margin: 0;
    }
    dt {
      color: var(--mat-sys-on-surface-variant);
    }
    dd {
      display: grid;
      gap: 6px;
      min-width: 0;
      margin: 0;
    }
    code {
      overflow-wrap: anywhere;
    }
    small,
    .hint {
      color: var(--mat-sys-on-surface-variant);
    }
    .hint {
      margin: 16px 0 0;
    }
    @media (max-width: 599.9px) {
      dl {
        grid-template-columns: 1fr;
        gap: 4px;
      }
      dd {
        margin-bottom: 12px;
      }
    }
  `,
})
export class NodeFolders {
  private readonly api = inject(Api);
  private readonly f = inject(Formats);
  protected readonly t = inject(Language).texts;

  private readonly asked = resource({
    loader: () => this.api.invoke(getFolders),
  });
  protected readonly folders = computed(() =>
    this.asked.hasValue() ? this.asked.value() : undefined,
  );
  protected readonly used = computed(() => {
    const { freeBytes = 0, totalBytes = 0 } = this.folders() ?? {};
    return totalBytes > 0
      ? Math.round(100 * (1 - Math.min(1, freeBytes / totalBytes)))
      : 0;
  });
  protected readonly room = computed(() => {
    const { freeBytes = 0, totalBytes = 0 } = this.folders() ?? {};
    return this.t().settings.room(
      this.f.bytes(freeBytes),
      this.f.bytes(totalBytes),
    );
  });
}
