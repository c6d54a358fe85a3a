/** Makes a long press open the context menu on phones whose browser does not do that itself. */
import { DestroyRef, Directive, ElementRef, inject } from '@angular/core';

/** Milliseconds, and pixels that a finger may tremble. */
const pressTime = 550;
const slack = 10;
/** A click comes at most so long after its finger was lifted, ms. */
const clickTime = 50;

@Directive({ selector: '[appLongPress]' })
export class LongPress {
  private readonly host =
    inject<ElementRef<HTMLElement>>(ElementRef).nativeElement;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private from = { x: 0, y: 0 };

  constructor() {
    const { host } = this;
    host.addEventListener('pointerdown', (event) => this.onDown(event));
    host.addEventListener('pointermove', (event) => {
      const { x, y } = this.from;
      if (Math.hypot(event.clientX - x, event.clientY - y) > slack) this.stop();
    });
    for (const end of ['pointerup', 'pointercancel', 'contextmenu']) {
      host.addEventListener(end, () => this.stop());
    }
    inject(DestroyRef).onDestroy(() => this.stop());
  }

  private onDown(event: PointerEvent): void {
    this.stop();
    if (event.pointerType !== 'touch') return;
    this.from = { x: event.clientX, y: event.clientY };
    const target = event.target as HTMLElement;
    this.timer = setTimeout(() => this.press(target), pressTime);
  }

  private press(target: HTMLElement): void {
    // The finger's release would also click what is below it.
    const swallow = (click: Event): void => {
      click.preventDefault();
      click.stopPropagation();
    };
    const { host } = this;
    const over = (): void => {
      setTimeout(
        () => host.removeEventListener('click', swallow, { capture: true }),
        clickTime,
      );
    };
    host.addEventListener('click', swallow, { capture: true, once: true });
    for (const end of ['pointerup', 'pointercancel']) {
      host.ownerDocument.addEventListener(end, over, {
        capture: true,
        once: true,
      });
    }
    target.dispatchEvent(
      new MouseEvent('contextmenu', {
        bubbles: true,
        cancelable: true,
        clientX: this.from.x,
        clientY: this.from.y,
      }),
    );
  }

  private stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
