import { Component, computed, inject, input } from '@angular/core';
import { Formats } from '../language/formats';
import { Language } from '../language/language';
import { samples, type Rates } from './rate-history';

const width = 400;
const height = 110;

/** Download and upload rates as two curves over one scale; the newest at the right. */
@Component({
  selector: 'app-speed-graph',
  template: `
    <figure>
      <figcaption>
        <span>{{ t().detail.speed }}</span>
        <span class="top">{{ f.rate(top()) }}</span>
      </figcaption>
      <svg
        role="img"
        preserveAspectRatio="none"
        [attr.viewBox]="'0 0 ' + width + ' ' + height"
        [attr.aria-label]="label()"
      >
        <path class="half" [attr.d]="'M0 ' + height / 2 + 'H' + width" />
        <path class="area" [attr.d]="area()" />
        <path class="down" [attr.d]="down()" />
        <path class="up" [attr.d]="up()" />
      </svg>
      <div class="now">
        <span class="down-key">{{ t().rates.down(f.rate(last().down)) }}</span>
        <span class="up-key">{{ t().rates.up(f.rate(last().up)) }}</span>
      </div>
    </figure>
  `,
  styles: `
    figure {
      margin: 0;
    }
    figcaption,
    .now {
      display: flex;
      justify-content: space-between;
      color: var(--mat-sys-on-surface-variant);
      font: var(--mat-sys-body-small);
      font-variant-numeric: tabular-nums;
    }
    svg {
      display: block;
      width: 100%;
      height: 110px;
      margin: 4px 0 6px;
      border-radius: 8px;
      background: var(--mat-sys-surface-container-high);
    }
    path {
      fill: none;
      stroke-width: 2;
      vector-effect: non-scaling-stroke;
    }
    .half {
      stroke: var(--mat-sys-outline-variant);
      stroke-width: 1;
      stroke-dasharray: 3 4;
    }
    .area {
      fill: color-mix(in srgb, var(--app-bar) 18%, transparent);
    }
    .down {
      stroke: var(--app-bar);
    }
    .up {
      stroke: var(--app-good);
    }
    .now span::before {
      content: '';
      display: inline-block;
      width: 10px;
      height: 3px;
      margin-right: 6px;
      border-radius: 2px;
      background: var(--app-bar);
      vertical-align: middle;
    }
    .now .up-key::before {
      background: var(--app-good);
    }
  `,
})
export class SpeedGraph {
  readonly rates = input.required<Rates>();

  protected readonly f = inject(Formats);
  protected readonly t = inject(Language).texts;
  protected readonly width = width;
  protected readonly height = height;

  protected readonly top = computed(() => {
    const { down, up } = this.rates();
    return niceTop(Math.max(1000, ...down, ...up));
  });
  protected readonly last = computed(() => {
    const { down, up } = this.rates();
    return { down: down.at(-1) ?? 0, up: up.at(-1) ?? 0 };
  });
  protected readonly down = computed(() => this.curve(this.rates().down));
  protected readonly up = computed(() => this.curve(this.rates().up));
  protected readonly area = computed(() => {
    const curve = this.down();
    if (curve === '') return '';
    const left = x(0, this.rates().down.length);
    return `${curve}V${height}H${left}Z`;
  });
  protected readonly label = computed(() => {
    const { down, up } = this.last();
    const { rates } = this.t();
    return `${rates.down(this.f.rate(down))}, ${rates.up(this.f.rate(up))}`;
  });

  private curve(rates: readonly number[]): string {
    if (rates.length < 2) return '';
    const scale = (height - 6) / this.top();
    return rates
      .map((rate, i) => {
        const point = `${x(i, rates.length)} ${(height - 2 - rate * scale).toFixed(1)}`;
        return i === 0 ? `M${point}` : `L${point}`;
      })
      .join('');
  }
}

const x = (index: number, count: number): string =>
  ((width * (samples - count + index)) / (samples - 1)).toFixed(1);

/** The next 1, 2 or 5 times a power of ten, so that the scale rarely jumps. */
function niceTop(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= value) as number;
}
