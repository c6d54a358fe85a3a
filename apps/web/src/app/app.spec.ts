import { provideHttpClient } from '@angular/common/http';
import { provideHttpClientTesting } from '@angular/common/http/testing';
import { TestBed } from '@angular/core/testing';
import { provideRouter } from '@angular/router';
import { provideApiConfiguration } from '@dnd/api-client';
import { App } from './app';
import { EVENT_SOURCE, EventStream } from './live/event-stream';
import { FakeEventSource } from './live/fake-event-source';
import { PublicationStore } from './live/publication-store';

describe('App', () => {
  beforeEach(() => {
    jest.useFakeTimers();
    TestBed.configureTestingModule({
      providers: [
        provideRouter([]),
        provideHttpClient(),
        provideHttpClientTesting(),
        provideApiConfiguration(''),
        { provide: EVENT_SOURCE, useValue: FakeEventSource.open },
      ],
    });
  });
  afterEach(() => jest.useRealTimers());

  const show = () => {
    const fixture = TestBed.createComponent(App);
    const element = fixture.nativeElement as HTMLElement;
    fixture.detectChanges();
    return { fixture, element };
  };

  it('leads to every page', () => {
    const { element } = show();
    const links = [...element.querySelectorAll('nav li a')];
    expect(links.map((link) => link.getAttribute('href'))).toEqual([
      '/files',
      '/downloads',
      '/publish',
      '/library',
      '/ring',
      '/settings',
    ]);
  });

  it('has what is being published for a page that is opened later', () => {
    show();
    TestBed.inject(EventStream).start();
    const publication = {
      id: 'a',
      name: 'film',
      size: 10,
      files: 1,
      state: 'paused',
      doneBytes: 4,
    };
    FakeEventSource.last.emit('snapshot', {
      downloads: [],
      publications: [publication],
    });
    jest.advanceTimersByTime(17);
    expect(TestBed.inject(PublicationStore).all()).toEqual([publication]);
  });

  it('says that the connection is lost only when it stays lost, and that it is back', () => {
    const { fixture, element } = show();
    TestBed.inject(EventStream).start();
    FakeEventSource.last.emit('open');
    fixture.detectChanges();

    FakeEventSource.last.emit('error');
    fixture.detectChanges();
    expect(element.querySelector('.lost')).toBeNull();
    jest.advanceTimersByTime(1600);
    fixture.detectChanges();
    expect(element.querySelector('.lost')?.textContent).toContain(
      'Connection lost, trying again',
    );

    FakeEventSource.last.emit('open');
    fixture.detectChanges();
    expect(element.querySelector('.lost')).toBeNull();
    expect(element.querySelector('[role=status]')?.textContent).toBe(
      'Connected again',
    );
  });
});
