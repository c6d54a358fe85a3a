import { TestBed } from '@angular/core/testing';
import { provideRouter } from '@angular/router';
import { EVENT_SOURCE } from '@dnd/ui';
import { App } from './app';

describe('App', () => {
  it('shows the title and the last tick', async () => {
    const source = Object.assign(new EventTarget(), {
      close: () => undefined,
      readyState: 1,
    });
    await TestBed.configureTestingModule({
      imports: [App],
      providers: [
        provideRouter([]),
        { provide: EVENT_SOURCE, useValue: () => source },
      ],
    }).compileComponents();
    const fixture = TestBed.createComponent(App);
    await fixture.whenStable();
    expect(fixture.nativeElement.querySelector('h1').textContent).toBe('Notes');
    source.dispatchEvent(
      new MessageEvent('tick', { data: '{"n":5,"at":"x"}' }),
    );
    await fixture.whenStable();
    expect(
      fixture.nativeElement.querySelector('[data-testid=tick]').textContent,
    ).toBe('5');
  });
});
