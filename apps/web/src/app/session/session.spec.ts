import { provideHttpClient } from '@angular/common/http';
import {
  HttpTestingController,
  provideHttpClientTesting,
} from '@angular/common/http/testing';
import { ApplicationRef, Component } from '@angular/core';
import { TestBed } from '@angular/core/testing';
import { NavigationEnd, provideRouter, Router } from '@angular/router';
import { filter, firstValueFrom } from 'rxjs';
import { EVENT_SOURCE, EventStream } from '../live/event-stream';
import { FakeEventSource } from '../live/fake-event-source';
import { Session } from './session';

@Component({ template: '' })
class Blank {}

describe('a broken event stream', () => {
  let session: Session;
  let http: HttpTestingController;

  beforeEach(async () => {
    TestBed.configureTestingModule({
      providers: [
        provideHttpClient(),
        provideHttpClientTesting(),
        provideRouter([{ path: '**', component: Blank }]),
        { provide: EVENT_SOURCE, useValue: FakeEventSource.open },
      ],
    });
    session = TestBed.inject(Session);
    http = TestBed.inject(HttpTestingController);
    const checked = session.check();
    http.expectOne('/api/session').flush({ required: true, signedIn: true });
    await checked;
    FakeEventSource.last.emit('error');
    TestBed.tick();
  });

  /** Until what waits for the answer has run. */
  const settled = () => TestBed.inject(ApplicationRef).whenStable();

  it('is the sign that the session has ended elsewhere', async () => {
    const { events } = TestBed.inject(Router);
    const arrived = firstValueFrom(
      events.pipe(filter((event) => event instanceof NavigationEnd)),
    );
    http.expectOne('/api/session').flush({ required: true, signedIn: false });
    expect((await arrived).url).toMatch(/^\/sign-in/);
    expect(session.signedIn()).toBe(false);
    expect(TestBed.inject(EventStream).state()).toBe('off');
  });

  it('is only tried again while the node does not answer, or knows the session', async () => {
    http.expectOne('/api/session').error(new ProgressEvent('error'));
    await settled();
    window.dispatchEvent(new Event('online'));
    FakeEventSource.last.emit('error');
    TestBed.tick();
    http.expectOne('/api/session').flush({ required: true, signedIn: true });
    await settled();
    expect(session.signedIn()).toBe(true);
    expect(TestBed.inject(EventStream).state()).toBe('lost');
  });
});
