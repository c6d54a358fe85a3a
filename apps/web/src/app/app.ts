import { Component, computed, inject } from '@angular/core';
import { MatToolbar } from '@angular/material/toolbar';
import { RouterOutlet } from '@angular/router';
import type { TickEvent } from '@dnd/contracts';
import { Badge, ServerEvents } from '@dnd/ui';

@Component({
  selector: 'app-root',
  imports: [Badge, MatToolbar, RouterOutlet],
  template: `
    <mat-toolbar>
      <h1>{{ title }}</h1>
      <app-badge [up]="live.connected()" />
      <output data-testid="tick">{{ tick() }}</output>
    </mat-toolbar>
    <router-outlet />
  `,
})
export class App {
  protected readonly title = 'Notes';
  protected readonly live = inject(ServerEvents).live<TickEvent>(
    '/api/events',
    'tick',
  );
  protected readonly tick = computed(() => this.live.value()?.n ?? '–');
}
