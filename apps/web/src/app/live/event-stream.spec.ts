import { TestBed } from '@angular/core/testing';
import type { ServerEvent } from '@dnd/api-client';
import { EVENT_SOURCE, EventStream } from './event-stream';
import { FakeEventSource } from './fake-event-source';

describe('EventStream', () => {
  let stream: EventStream;
  let batches: (readonly ServerEvent[])[];

  beforeEach(() => {
    jest.useFakeTimers();
    TestBed.configureTestingModule({
      providers: [{ provide: EVENT_SOURCE, useValue: FakeEventSource.open }],
    });
    stream = TestBed.inject(EventStream);
    batches = [];
    stream.listen((events) => batches.push(events));
    stream.start();
  });
  afterEach(() => jest.useRealTimers());

  it('hands on a frame’s events together and in order', () => {
    FakeEventSource.last.emit('catalogue', { version: 1 });
    FakeEventSource.last.emit('download-removed', { id: 'a' });
    FakeEventSource.last.emit('catalogue', { version: 2 });
    expect(batches).toEqual([]);
    jest.advanceTimersByTime(17);
    expect(batches).toEqual([
      [
        { type: 'catalogue', data: { version: 1 } },
        { type: 'download-removed', data: { id: 'a' } },
        { type: 'catalogue', data: { version: 2 } },
      ],
    ]);
  });

  it('tries again with growing pauses and the last number it saw', () => {
    const first = FakeEventSource.last;
    first.emit('open');
    first.emit('catalogue', { version: 1 }, 'boot.41');
    expect(stream.state()).toBe('live');
    first.emit('error');
    expect(stream.state()).toBe('lost');
    expect(first.closed).toBe(true);

    jest.advanceTimersByTime(1000);
    const second = FakeEventSource.last;
    expect(second.url).toBe('/api/events?lastEventId=boot.41');
    second.emit('error');
    jest.advanceTimersByTime(1999);
    expect(FakeEventSource.last).toBe(second);
    jest.advanceTimersByTime(1);
    expect(FakeEventSource.last).not.toBe(second);
    FakeEventSource.last.emit('open');
    expect(stream.state()).toBe('live');
  });

  it('ignores the error of a stream it has left', () => {
    const first = FakeEventSource.last;
    first.emit('error');
    jest.advanceTimersByTime(1000);
    const second = FakeEventSource.last;
    second.emit('open');
    first.emit('error');
    expect(stream.state()).toBe('live');
    expect(second.closed).toBe(false);
  });

  it('is silent after stop', () => {
    FakeEventSource.last.emit('error');
    stream.stop();
    const last = FakeEventSource.last;
    jest.advanceTimersByTime(60_000);
    expect(FakeEventSource.last).toBe(last);
    expect(stream.state()).toBe('off');
  });
});
