import {
  Component,
  computed,
  effect,
  ElementRef,
  inject,
  input,
  viewChild,
} from '@angular/core';
import { Api, getDownloadPieces } from '@dnd/api-client';
import { Formats } from '../language/formats';
import { Language } from '../language/language';
import { polled } from '../live/polled';
import { Theme } from '../shell/theme';
import { pieceMap, type PieceMap } from './piece-map';

/** Of the canvas, in its own pixels. */
const cell = 12;
const gap = 2;
const columns = 36;
const maxRows = 40;

@Component({
  selector: 'app-download-pieces',
  template: `
    @if (map(); as m) {
      <p>
        <strong>{{
          t().detail.pieceMap(f.number(m.have), f.number(m.count))
        }}</strong>
        <span>
          {{ t().detail.pieceLength(f.bytes(length())) }}
          @if (m.have < m.count) {
            · {{ t().detail.copies(f.ratio(m.copies)) }}
          }
        </span>
      </p>
    }
    <canvas #canvas role="img" [attr.aria-label]="label()"></canvas>
    <ul>
      <li><i class="have"></i>{{ t().detail.have }}</li>
      <li><i class="flying"></i>{{ t().detail.inFlight }}</li>
      <li><i class="missing"></i>{{ t().detail.missing }}</li>
      <li><i class="rare"></i>{{ t().detail.rare }}</li>
      <li><i class="nobody"></i>{{ t().detail.nobody }}</li>
    </ul>
  `,
  styles: `
    :host {
      display: block;
      padding: 16px 20px;
    }
    p {
      display: flex;
      flex-wrap: wrap;
      justify-content: space-between;
      gap: 4px 12px;
      margin: 0 0 12px;
    }
    p span {
      color: var(--mat-sys-on-surface-variant);
    }
    strong {
      font-weight: 500;
    }
    canvas {
      display: block;
      width: 100%;
    }
    ul {
      display: flex;
      flex-wrap: wrap;
      gap: 6px 16px;
      margin: 16px 0 0;
      padding: 0;
      list-style: none;
      font: var(--mat-sys-body-small);
    }
    li {
      display: inline-flex;
      align-items: center;
      gap: 6px;
    }
    i {
      width: 12px;
      height: 12px;
      border-radius: 3px;
    }
    .have {
      background: var(--app-good);
    }
    .flying {
      background: var(--app-bar);
    }
    .missing {
      background: color-mix(in srgb, var(--app-bar) 45%, var(--app-track));
    }
    .rare {
      background: color-mix(in srgb, var(--app-bar) 18%, var(--app-track));
    }
    .nobody {
      background: var(--app-track);
      outline: 1px solid var(--mat-sys-outline-variant);
    }
  `,
})
export class DownloadPieces {
  readonly id = input.required<string>();

  private readonly api = inject(Api);
  private readonly theme = inject(Theme);
  private readonly canvas =
    viewChild.required<ElementRef<HTMLCanvasElement>>('canvas');
  protected readonly f = inject(Formats);
  protected readonly t = inject(Language).texts;
  private readonly pieces = polled(() => {
    const id = this.id();
    return () => this.api.invoke(getDownloadPieces, { id });
  }, 1000);

  protected readonly map = computed(() => {
    const pieces = this.pieces.value();
    return pieces ? pieceMap(pieces, columns * maxRows) : undefined;
  });
  protected readonly length = computed(() => this.pieces.value()?.length ?? 0);
  protected readonly label = computed(() => {
    const map = this.map();
    if (!map) return this.t().detail.pieces;
    const { number } = this.f;
    return this.t().detail.pieceMap(
      number.call(this.f, map.have),
      number.call(this.f, map.count),
    );
  });

  constructor() {
    effect(() => {
      const map = this.map();
      this.theme.current();
      if (map) draw(this.canvas().nativeElement, map);
    });
  }
}

function draw(canvas: HTMLCanvasElement, map: PieceMap): void {
  const step = cell + gap;
  canvas.width = columns * step - gap;
  canvas.height =
    Math.max(1, Math.ceil(map.cells.length / columns)) * step - gap;
  const context = canvas.getContext('2d');
  if (!context) return;
  const colours = coloursOf(canvas);
  map.cells.forEach(({ have, inFlight, copies }, i) => {
    const x = (i % columns) * step;
    const y = Math.floor(i / columns) * step;
    context.fillStyle = colours[have === 1 ? 'have' : kindOf(inFlight, copies)];
    context.beginPath();
    context.roundRect(x, y, cell, cell, 3);
    context.fill();
    if (have > 0 && have < 1) {
      context.fillStyle = colours.have;
      context.fillRect(x, y + cell * (1 - have), cell, cell * have);
    }
  });
}

const kindOf = (inFlight: boolean, copies = 0) =>
  inFlight
    ? 'flying'
    : copies > 1
      ? 'missing'
      : copies === 1
        ? 'rare'
        : 'nobody';

/** The theme's colours as the canvas understands them: computed by an element that has them. */
function coloursOf(canvas: HTMLCanvasElement) {
  const probe = canvas.ownerDocument.createElement('span');
  // A picture keeps its colours where the system chooses all others.
  probe.style.setProperty('forced-color-adjust', 'none');
  canvas.parentElement?.append(probe);
  const read = (name: string): string => {
    probe.style.color = name;
    return getComputedStyle(probe).color;
  };
  const colours = {
    have: read('var(--app-good)'),
    flying: read('var(--app-bar)'),
    missing: read('color-mix(in srgb, var(--app-bar) 45%, var(--app-track))'),
    rare: read('color-mix(in srgb, var(--app-bar) 18%, var(--app-track))'),
    nobody: read('var(--app-track)'),
  };
  probe.remove();
  return colours;
}
