/**
 * Uploads what is published: two at a time, each from where the node has it. A lost connection is tried
 * again by itself; a pause is gone on with, also in another visit, once the same files are chosen again.
 * The node tells the rest (hashing, storing on the ring) by events that carry the upload's id.
 */
import {
  computed,
  DOCUMENT,
  effect,
  inject,
  Injectable,
  signal,
  untracked,
} from '@angular/core';
import { HttpErrorResponse } from '@angular/common/http';
import type { PublicationDto } from '@dnd/api-client';
import { Language } from '../language/language';
import { EventStream } from '../live/event-stream';
import { PublicationStore } from '../live/publication-store';
import { detailOf, problemText } from '../session/problem';
import { Session } from '../session/session';
import { Notices } from '../shell/notices';
import type { Draft } from './drafts';
import type { Picked, PickedFile } from './dropped-files';
import { sameFiles } from './same-files';
import { UploadTransport, type Sent } from './upload-transport';
import { UploadWork } from './upload-work';

const atOnce = 2;
export type UploadState =
  | 'waiting'
  | 'uploading'
  /** The connection is lost; it is tried again. */
  | 'lost'
  | 'paused'
  /** The node has every byte. */
  | 'sent'
  | 'failed';

export interface Upload {
  /** Of this page; the node's id is known once it has been begun. */
  readonly key: string;
  /** The smaller, the earlier it was chosen. */
  readonly order: number;
  readonly id: string | undefined;
  readonly draft: Draft;
  readonly state: UploadState;
  readonly sentBytes: number;
  /** Bytes per second. */
  readonly rate: number;
  readonly problem?: string;
}

@Injectable({ providedIn: 'root' })
export class Uploads {
  private readonly document = inject(DOCUMENT);
  private readonly events = inject(EventStream);
  private readonly notices = inject(Notices);
  private readonly publications = inject(PublicationStore);
  private readonly session = inject(Session);
  private readonly transport = inject(UploadTransport);
  private readonly t = inject(Language).texts;
  private readonly list = signal<readonly Upload[]>([]);
  private readonly work = new Map<string, UploadWork>();
  private readonly told = new Set<string>();
  private count = 0;

  readonly all = this.list.asReadonly();
  readonly active = computed(() =>
    this.list().some(
      ({ state }) =>
        state === 'waiting' || state === 'uploading' || state === 'lost',
    ),
  );

  /** Publications that began in another window or visit, or by a program; the newest first. */
  readonly others = computed(() => {
    const own = new Set(this.list().map(({ id }) => id));
    const begun = this.list().filter(
      ({ id, state }) => id === undefined && state === 'uploading',
    );
    return this.publications
      .all()
      .filter(({ id }) => !own.has(id))
      .filter((publication) => !begun.some(mayBe(publication)))
      .reverse();
  });

  constructor() {
    this.document.defaultView?.addEventListener('beforeunload', (event) => {
      if (this.active()) event.preventDefault();
    });
    effect(() => {
      const live = this.events.state() === 'live';
      if (live) untracked(() => this.retryLost());
    });
    effect(() => this.tellPublished());
  }

  start(drafts: readonly Draft[]): void {
    this.add(drafts.map((draft) => this.upload(draft)));
  }

  pause(key: string): void {
    this.change(key, { state: 'paused', rate: 0 });
    this.interrupt(key);
    this.pump();
  }

  /** Goes on after a pause or a failure, from where the node has it. */
  resume(key: string): void {
    const state = this.find(key)?.state;
    if (state === undefined || state === 'uploading') return;
    this.interrupt(key);
    this.change(key, { state: 'waiting', problem: undefined });
    this.pump();
  }

  /** Gives it up, here and on the node. */
  async discard(key: string): Promise<void> {
    const upload = this.find(key);
    this.forget(key);
    if (upload?.id) await this.discardOnNode(upload.id);
  }

  async discardOnNode(id: string): Promise<void> {
    try {
      await this.transport.discard(id);
      this.publications.apply([{ type: 'publication-removed', data: { id } }]);
    } catch (error) {
      this.notices.fail(error);
    }
  }

  /** Takes its card off the page. */
  forget(key: string): void {
    this.interrupt(key);
    this.work.delete(key);
    this.list.update((before) => before.filter((item) => item.key !== key));
    this.pump();
  }

  /** Goes on with unfinished uploads that any of these belong to; returns the others. */
  async recognise(picked: readonly Picked[]): Promise<readonly Picked[]> {
    const own = new Set(this.list().map(({ id }) => id));
    const paused = this.publications
      .all()
      .filter(({ state }) => state === 'paused' || state === 'failed')
      .filter(({ id }) => !own.has(id));
    const rest: Picked[] = [];
    for (const item of picked) {
      const size = sizeOf(item.files);
      let found = false;
      for (const { id } of paused.filter((other) => other.size === size))
        found ||= await this.goOn(id, item.files).catch(() => false);
      if (!found) rest.push(item);
    }
    return rest;
  }

  /** Goes on with an upload of an earlier visit. False when these are not its files. */
  async goOn(id: string, chosen: readonly PickedFile[]): Promise<boolean> {
    const detail = await this.transport.look(id);
    const files = sameFiles(detail.files, chosen);
    if (!files) return false;
    const upload = this.upload({
      id,
      name: detail.name,
      comment: '',
      private: false,
      format: '',
      pieceLength: 0,
      folder: files.length > 1,
      files,
      size: detail.size,
    });
    this.add([{ ...upload, id, sentBytes: detail.offset }]);
    return true;
  }

  private upload(draft: Draft): Upload {
    const order = ++this.count;
    return {
      key: `upload-${order}`,
      order,
      id: undefined,
      draft,
      state: 'waiting',
      sentBytes: 0,
      rate: 0,
    };
  }

  private add(uploads: readonly Upload[]): void {
    for (const { key, draft } of uploads)
      this.work.set(key, new UploadWork(draft.files.map(({ file }) => file)));
    this.list.update((before) => [...uploads, ...before]);
    this.pump();
  }

  private pump(): void {
    const running = this.list().filter(({ state }) => state === 'uploading');
    // The list shows the newest first; they are sent in the order they were chosen.
    const waiting = this.list()
      .filter(({ state }) => state === 'waiting')
      .sort((a, b) => a.order - b.order);
    const room = Math.max(0, atOnce - running.length);
    for (const upload of waiting.slice(0, room)) void this.run(upload);
  }

  private async run({ key, id, draft }: Upload): Promise<void> {
    const work = this.work.get(key);
    if (!work || work.busy) return;
    this.change(key, { state: 'uploading' });
    work.begin();
    try {
      const upload = id
        ? await this.transport.look(id)
        : await this.transport.begin(draft);
      work.reached();
      this.change(key, { id: upload.id, sentBytes: upload.offset });
      const whole = upload.offset === upload.size;
      if (!this.find(key)) await this.discardOnNode(upload.id);
      else if (whole && upload.state !== 'failed')
        this.change(key, { state: 'sent' });
      else await this.sendFrom(key, work, upload.id, upload.offset);
    } catch (error) {
      await this.onError(key, work, id, error);
    }
    work.busy = false;
    this.pump();
  }

  private async sendFrom(
    key: string,
    work: UploadWork,
    id: string,
    start: number,
  ): Promise<void> {
    let offset = start;
    do {
      // Paused or given up before this request.
      if (this.find(key)?.state !== 'uploading') return;
      work.sending = this.transport.send(id, work.content, offset, (sent) =>
        this.progress(key, work, sent),
      );
      const answer = await work.sending.ended;
      work.sending = undefined;
      if (answer.type !== 'at') return this.onEnd(key, work, id, answer);
      offset = answer.offset;
      this.progress(key, work, offset);
    } while (offset < work.content.size);
    this.change(key, { state: 'sent', sentBytes: offset, rate: 0 });
  }

  private async onError(
    key: string,
    work: UploadWork,
    id: string | undefined,
    error: unknown,
  ): Promise<void> {
    const status = error instanceof HttpErrorResponse ? error.status : -1;
    if (status === 0) return this.lose(key, work);
    if (status === 404 && id) return this.onGone(key, id);
    this.fail(key, problemText(error, this.t()));
  }

  private async onEnd(
    key: string,
    work: UploadWork,
    id: string,
    answer: Sent,
  ): Promise<void> {
    if (answer.type === 'gone') return this.onGone(key, id);
    if (answer.type === 'lost') return this.lose(key, work);
    if (answer.type !== 'refused') return;
    if (answer.status === 401) this.session.expired();
    const unknown = `${this.t().errors.unknown} (${answer.status})`;
    this.fail(key, detailOf(answer.body) ?? unknown);
  }

  /** The node does not know the upload: it has been published, or must be begun anew. */
  private onGone(key: string, id: string): void {
    const state = this.publications.find(id)?.state;
    if (state === 'hashing' || state === 'publishing' || state === 'published')
      this.change(key, { state: 'sent', rate: 0 });
    else {
      this.change(key, { id: undefined, sentBytes: 0 });
      this.fail(key, this.t().publish.gone);
    }
  }

  private async lose(key: string, work: UploadWork): Promise<void> {
    const upload = this.find(key);
    if (upload?.state !== 'uploading') return;
    if (!(await work.isReadable(upload.sentBytes)))
      return this.fail(key, this.t().publish.changed);
    this.change(key, { state: 'lost', rate: 0 });
    work.tryAgain(() => this.resume(key));
  }

  private retryLost(): void {
    for (const { key, state } of this.list())
      if (state === 'lost') this.resume(key);
  }

  private fail(key: string, problem: string): void {
    this.change(key, { state: 'failed', problem, rate: 0 });
  }

  private interrupt(key: string): void {
    this.work.get(key)?.interrupt();
  }

  private progress(key: string, work: UploadWork, sentBytes: number): void {
    if (this.find(key)?.state !== 'uploading') return;
    const rate = work.rate(sentBytes, performance.now());
    this.change(key, { sentBytes, rate });
  }

  /** Says once of each upload of this page that it is published. */
  private tellPublished(): void {
    for (const { id, draft } of this.list()) {
      const publication = id ? this.publications.find(id) : undefined;
      if (publication?.state !== 'published' || this.told.has(publication.id))
        continue;
      this.told.add(publication.id);
      const name = publication.name || draft.name;
      untracked(() => this.notices.say(this.t().publish.done(name)));
    }
  }

  private find(key: string): Upload | undefined {
    return this.list().find((item) => item.key === key);
  }

  private change(key: string, change: Partial<Upload>): void {
    this.list.update((before) =>
      before.map((item) => (item.key === key ? { ...item, ...change } : item)),
    );
  }
}

/** The event that tells of an upload may come before the answer that tells its id. */
const mayBe =
  ({ state, size, doneBytes }: PublicationDto) =>
  ({ draft }: Upload): boolean =>
    state === 'paused' && doneBytes === 0 && size === draft.size;

const sizeOf = (files: readonly PickedFile[]): number =>
  files.reduce((sum, { file }) => sum + file.size, 0);
