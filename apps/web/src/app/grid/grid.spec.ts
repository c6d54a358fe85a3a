import { Component, signal } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { Grid } from './grid';

@Component({
  imports: [Grid],
  template: `
    <div
      [appGrid]="rows().length"
      [order]="rows()"
      [rowHeight]="20"
      (opened)="heard.push('open ' + $event)"
      (toggled)="heard.push('toggle ' + $event)"
      (extended)="heard.push('extend ' + $event)"
      (clicked)="heard.push('click ' + $event.row)"
      (menuAsked)="heard.push('menu ' + $event)"
    >
      @for (row of rows(); track row; let i = $index) {
        <div [attr.data-row]="i">
          <span data-cell>{{ row }}</span>
          <button data-cell aria-haspopup="menu">…</button>
        </div>
      }
    </div>
  `,
})
class Rows {
  readonly rows = signal(['a', 'b', 'c']);
  readonly heard: string[] = [];
}

describe('Grid', () => {
  const show = async () => {
    const fixture = TestBed.createComponent(Rows);
    const host = fixture.nativeElement as HTMLElement;
    document.body.append(host);
    const settled = async (): Promise<void> => {
      fixture.detectChanges();
      await Promise.resolve();
    };
    await settled();
    const cell = (row: number, n: number) =>
      host.querySelectorAll<HTMLElement>(`[data-row="${row}"] [data-cell]`)[n];
    const stops = () =>
      [...host.querySelectorAll('[tabindex="0"]')].map(
        (stop) =>
          `${stop.closest('[data-row]')?.getAttribute('data-row')} ${stop.tagName}`,
      );
    const press = (key: string, more: KeyboardEventInit = {}): void => {
      document.activeElement?.dispatchEvent(
        new KeyboardEvent('keydown', { key, bubbles: true, ...more }),
      );
    };
    return {
      ...fixture.componentInstance,
      fixture,
      settled,
      cell,
      stops,
      press,
    };
  };

  it('is one tab stop, which follows the focus', async () => {
    const { cell, stops, press } = await show();
    expect(stops()).toEqual(['0 SPAN']);
    cell(0, 0).focus();
    press('ArrowDown');
    press('End');
    expect(document.activeElement).toBe(cell(1, 1));
    expect(stops()).toEqual(['1 BUTTON']);
  });

  it('keeps a tab stop when rows go, and takes up new cells', async () => {
    const { rows, cell, settled, stops } = await show();
    cell(2, 1).focus();
    rows.set(['a', 'b']);
    await settled();
    expect(stops()).toEqual(['1 BUTTON']);
    rows.set(['x', 'y', 'z', 'a', 'b']);
    await settled();
    expect(stops()).toHaveLength(1);
  });

  it('tells what was meant, and leaves buttons to themselves', async () => {
    const { cell, heard, press } = await show();
    cell(1, 0).focus();
    press('Enter');
    press(' ');
    press('ArrowDown', { shiftKey: true });
    press('F10', { shiftKey: true });
    cell(0, 0).click();
    cell(1, 1).click();
    cell(1, 1).focus();
    press('Enter');
    expect(heard).toEqual([
      'open 1',
      'toggle 1',
      'extend 2',
      'menu 2',
      'click 0',
      'menu 1',
    ]);
  });
});
