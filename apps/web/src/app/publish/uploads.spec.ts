import { HttpErrorResponse, provideHttpClient } from '@angular/common/http';
import { TestBed } from '@angular/core/testing';
import { provideRouter } from '@angular/router';
import type { UploadDetailDto } from '@dnd/api-client';
import { EVENT_SOURCE } from '../live/event-stream';
import { FakeEventSource } from '../live/fake-event-source';
import { PublicationStore } from '../live/publication-store';
import { Drafts } from './drafts';
import { pickedFrom } from './dropped-files';
import { UploadTransport, type Sending, type Sent } from './upload-transport';
import { Uploads } from './uploads';

/** A node that takes what the spec lets it take. */
class FakeTransport {
  readonly begun: string[] = [];
  readonly offsets = new Map<string, number>();
  readonly discarded: string[] = [];
  readonly requests: {
    readonly id: string;
    readonly offset: number;
    readonly answer: (sent: Sent) => void;
  }[] = [];
  unreachable = false;
  /** Hears what is asked, but its answer is lost. */
  deaf = false;

  begin = async (
    id: string,
    { name }: { name: string },
  ): Promise<UploadDetailDto> => {
    if (this.unreachable) throw new HttpErrorResponse({ status: 0 });
    if (!this.offsets.has(id)) {
      this.begun.push(name);
      this.offsets.set(id, 0);
    }
    if (this.deaf) throw new HttpErrorResponse({ status: 0 });
    return this.look(id);
  };

  look = async (id: string): Promise<UploadDetailDto> => {
    if (this.unreachable) throw new HttpErrorResponse({ status: 0 });
    const offset = this.offsets.get(id);
    if (offset === undefined) throw new HttpErrorResponse({ status: 404 });
    return {
      id,
      name: id.slice(5),
      size: 10,
      offset,
      state: 'paused',
      expiresAt: '',
      files: [{ path: id.slice(5), size: 10 }],
    };
  };

  send = (id: string, _content: Blob, offset: number): Sending => {
    let answer!: (sent: Sent) => void;
    const ended = new Promise<Sent>((resolve) => (answer = resolve));
    this.requests.push({ id, offset, answer });
    return { ended, stop: () => answer({ type: 'stopped' }) };
  };

  discard = async (id: string): Promise<void> => void this.discarded.push(id);
}

describe('Uploads', () => {
  let uploads: Uploads;
  let node: FakeTransport;
  let publications: PublicationStore;

  const settle = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await Promise.resolve();
    TestBed.tick();
  };
  const file = (name: string): File =>
    Object.assign(new File(['0123456789'], name), { webkitRelativePath: '' });
  const start = async (...names: string[]): Promise<void> => {
    const drafts = new Drafts();
    drafts.add(pickedFrom(names.map(file)));
    uploads.start(drafts.take());
    await settle();
  };
  const states = (): string[] => uploads.all().map(({ state }) => state);
  const answer = async (sent: Sent): Promise<void> => {
    node.requests.at(-1)?.answer(sent);
    await settle();
  };

  beforeEach(() => {
    jest.useFakeTimers();
    // jsdom's Blob cannot be read.
    Blob.prototype.arrayBuffer ??= async () => new ArrayBuffer(1);
    node = new FakeTransport();
    TestBed.configureTestingModule({
      providers: [
        provideRouter([]),
        provideHttpClient(),
        { provide: EVENT_SOURCE, useValue: FakeEventSource.open },
        { provide: UploadTransport, useValue: node },
      ],
    });
    uploads = TestBed.inject(Uploads);
    publications = TestBed.inject(PublicationStore);
  });
  afterEach(() => jest.useRealTimers());

  it('sends two at a time, in the order they were chosen', async () => {
    await start('a', 'b', 'c');
    expect(node.begun).toEqual(['a', 'b']);
    await answer({ type: 'at', offset: 10 });
    expect(node.begun).toEqual(['a', 'b', 'c']);
    expect(states()).toEqual(['uploading', 'sent', 'uploading']);
  });

  it('goes on after a pause from where the node has it', async () => {
    await start('a');
    const [{ id }] = uploads.all();
    uploads.pause(id);
    await settle();
    expect(states()).toEqual(['paused']);
    node.offsets.set(id, 6);
    uploads.resume(id);
    await settle();
    expect(node.begun).toEqual(['a']);
    expect(node.requests.at(-1)).toMatchObject({ id, offset: 6 });
    await answer({ type: 'at', offset: 10 });
    expect(states()).toEqual(['sent']);
  });

  it('a pause that is over at once sends nothing twice', async () => {
    await start('a');
    const [{ id }] = uploads.all();
    uploads.pause(id);
    uploads.resume(id);
    await settle();
    expect(states()).toEqual(['uploading']);
    expect(node.requests).toHaveLength(2);
  });

  it('tries a lost connection again by itself', async () => {
    await start('a');
    node.unreachable = true;
    await answer({ type: 'lost' });
    expect(states()).toEqual(['lost']);
    jest.advanceTimersByTime(1000);
    await settle();
    expect(states()).toEqual(['lost']);
    node.unreachable = false;
    node.offsets.set(uploads.all()[0].id, 3);
    jest.advanceTimersByTime(2000);
    await settle();
    expect(states()).toEqual(['uploading']);
    expect(node.requests.at(-1)?.offset).toBe(3);
  });

  it('a lost answer begins nothing twice', async () => {
    node.deaf = true;
    await start('a');
    expect(states()).toEqual(['lost']);
    node.deaf = false;
    jest.advanceTimersByTime(1000);
    await settle();
    expect(states()).toEqual(['uploading']);
    expect(node.begun).toEqual(['a']);
  });

  it('one whose answer was lost is given up on the node too', async () => {
    node.deaf = true;
    await start('a');
    node.deaf = false;
    await start('b', 'c');
    await start('d');
    const ids = uploads.all().map(({ id }) => id);
    expect(states()).toEqual(['waiting', 'uploading', 'uploading', 'lost']);
    for (const id of ids) await uploads.discard(id);
    expect(new Set(node.discarded)).toEqual(new Set(ids.slice(1)));
  });

  it('says what the node refuses, and can be tried again', async () => {
    await start('a');
    const body = '{"detail":"the disk is full: 3 GB missing"}';
    await answer({ type: 'refused', status: 507, body });
    expect(uploads.all()[0]).toMatchObject({
      state: 'failed',
      problem: 'the disk is full: 3 GB missing',
    });
    uploads.resume(uploads.all()[0].id);
    await settle();
    expect(states()).toEqual(['uploading']);
  });

  it('an upload that the node forgot begins anew', async () => {
    await start('a');
    node.offsets.clear();
    await answer({ type: 'gone' });
    expect(states()).toEqual(['failed']);
    uploads.resume(uploads.all()[0].id);
    await settle();
    expect(node.begun).toEqual(['a', 'a']);
  });

  it('goes on with an upload of an earlier visit when its file is chosen', async () => {
    node.offsets.set('node-old', 4);
    publications.put({
      id: 'node-old',
      name: 'old',
      size: 10,
      files: 1,
      state: 'paused',
      doneBytes: 4,
    });
    const rest = await uploads.recognise(pickedFrom([file('old')]));
    await settle();
    expect(rest).toEqual([]);
    expect(node.requests.at(-1)).toMatchObject({ id: 'node-old', offset: 4 });
    const [other] = await uploads.recognise(pickedFrom([file('new')]));
    expect(other.name).toBe('new');
  });

  it('an upload that the node tells of before it answers is shown once', async () => {
    node.begin = () => new Promise(() => undefined);
    await start('a');
    const [{ id }] = uploads.all();
    const tell = (id: string, doneBytes: number): void =>
      publications.put({
        id,
        name: 'a',
        size: 10,
        files: 1,
        state: 'paused',
        doneBytes,
      });
    tell(id, 0);
    tell('of another window', 0);
    tell('of an earlier visit', 3);
    const others = (): string[] => uploads.others().map(({ id }) => id);
    expect(others()).toEqual(['of an earlier visit', 'of another window']);
    uploads.forget(id);
    expect(others()).toContain(id);
  });

  it('gives up here and on the node', async () => {
    await start('a');
    const [{ id }] = uploads.all();
    await uploads.discard(id);
    expect(uploads.all()).toEqual([]);
    expect(node.discarded).toEqual([id]);
  });
});
