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
import type { UploadDto } from '@dnd/api-client';
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
  /** Its draft's, and the node's too: asking twice begins nothing twice. */
  readonly id: string;
  /** The smaller, the earlier it was chosen. */
  readonly order: number;
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
    return this.publications
      .all()
      .filter(({ id }) => !own.has(id))
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

  pause(id: string): void {
    this.change(id, { state: 'paused', rate: 0 });
    this.interrupt(id);
    this.pump();
  }

  /** Goes on after a pause or a failure, from where the node has it. */
  resume(id: string): void {
    const state = this.find(id)?.state;
    if (state === undefined || state === 'uploading') return;
    this.interrupt(id);
    this.change(id, { state: 'waiting', problem: undefined });
    this.pump();
  }

  /** Gives it up, here and on the node. */
  async discard(id: string): Promise<void> {
    const onNode = this.work.get(id)?.onNode;
    this.forget(id);
    if (onNode !== 'no') await this.discardOnNode(id);
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
  forget(id: string): void {
    this.interrupt(id);
    this.work.delete(id);
    this.list.update((before) => before.filter((item) => item.id !== id));
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
    this.add([{ ...upload, sentBytes: detail.offset }], 'yes');
    return true;
  }

  private upload(draft: Draft): Upload {
    return {
      id: draft.id,
      order: ++this.count,
      draft,
      state: 'waiting',
      sentBytes: 0,
      rate: 0,
    };
  }

  private add(
    uploads: readonly Upload[],
    onNode: UploadWork['onNode'] = 'no',
  ): void {
    for (const { id, draft } of uploads) {
      const files = draft.files.map(({ file }) => file);
      this.work.set(id, new UploadWork(files, onNode));
    }
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

  private async run({ id, draft }: Upload): Promise<void> {
    const work = this.work.get(id);
    if (!work || work.busy) return;
    this.change(id, { state: 'uploading' });
    work.begin();
    try {
      const { offset, size, state } = await this.ask(id, work, draft);
      work.reached();
      this.change(id, { sentBytes: offset });
      if (!this.find(id)) await this.discardOnNode(id);
      else if (offset === size && state !== 'failed')
        this.change(id, { state: 'sent' });
      else await this.sendFrom(id, work, offset);
    } catch (error) {
      await this.onError(id, work, error);
    }
    work.busy = false;
    this.pump();
  }

  /** How far the node is; begins the upload where the node does not know it yet. */
  private ask(id: string, work: UploadWork, draft: Draft): Promise<UploadDto> {
    if (work.onNode === 'yes') return this.transport.look(id);
    work.onNode = 'asked';
    return this.transport.begin(id, draft);
  }

  private async sendFrom(
    id: string,
    work: UploadWork,
    start: number,
  ): Promise<void> {
    let offset = start;
    do {
      // Paused or given up before this request.
      if (this.find(id)?.state !== 'uploading') return;
      work.sending = this.transport.send(id, work.content, offset, (sent) =>
        this.progress(id, work, sent),
      );
      const answer = await work.sending.ended;
      work.sending = undefined;
      if (answer.type !== 'at') return this.onEnd(id, work, answer);
      offset = answer.offset;
      this.progress(id, work, offset);
    } while (offset < work.content.size);
    this.change(id, { state: 'sent', sentBytes: offset, rate: 0 });
  }

  private async onError(
    id: string,
    work: UploadWork,
    error: unknown,
  ): Promise<void> {
    const status = error instanceof HttpErrorResponse ? error.status : -1;
    if (status === 0) return this.lose(id, work);
    if (status === 404 || status === 409) return this.onGone(id, work);
    this.fail(id, problemText(error, this.t()));
  }

  private async onEnd(
    id: string,
    work: UploadWork,
    answer: Sent,
  ): Promise<void> {
    if (answer.type === 'gone') return this.onGone(id, work);
    if (answer.type === 'lost') return this.lose(id, work);
    if (answer.type !== 'refused') return;
    if (answer.status === 401) this.session.expired();
    const unknown = `${this.t().errors.unknown} (${answer.status})`;
    this.fail(id, detailOf(answer.body) ?? unknown);
  }

  /** The node does not know the upload: it has been published, or must be begun anew. */
  private onGone(id: string, work: UploadWork): void {
    const state = this.publications.find(id)?.state;
    if (state === 'hashing' || state === 'publishing' || state === 'published')
      this.change(id, { state: 'sent', rate: 0 });
    else {
      work.onNode = 'no';
      this.change(id, { sentBytes: 0 });
      this.fail(id, this.t().publish.gone);
    }
  }

  private async lose(id: string, work: UploadWork): Promise<void> {
    const upload = this.find(id);
    if (upload?.state !== 'uploading') return;
    if (!(await work.isReadable(upload.sentBytes)))
      return this.fail(id, this.t().publish.changed);
    this.change(id, { state: 'lost', rate: 0 });
    work.tryAgain(() => this.resume(id));
  }

  private retryLost(): void {
    for (const { id, state } of this.list())
      if (state === 'lost') this.resume(id);
  }

  private fail(id: string, problem: string): void {
    this.change(id, { state: 'failed', problem, rate: 0 });
  }

  private interrupt(id: string): void {
    this.work.get(id)?.interrupt();
  }

  private progress(id: string, work: UploadWork, sentBytes: number): void {
    if (this.find(id)?.state !== 'uploading') return;
    const rate = work.rate(sentBytes, performance.now());
    this.change(id, { sentBytes, rate });
  }

  /** Says once of each upload of this page that it is published. */
  private tellPublished(): void {
    for (const { id, draft } of this.list()) {
      const publication = this.publications.find(id);
      if (publication?.state !== 'published' || this.told.has(publication.id))
        continue;
      this.told.add(publication.id);
      const name = publication.name || draft.name;
      untracked(() => this.notices.say(this.t().publish.done(name)));
    }
  }

  private find(id: string): Upload | undefined {
    return this.list().find((item) => item.id === id);
  }

  private change(id: string, change: Partial<Upload>): void {
    this.list.update((before) =>
      before.map((item) => (item.id === id ? { ...item, ...change } : item)),
    );
  }
}

const sizeOf = (files: readonly PickedFile[]): number =>
  files.reduce((sum, { file }) => sum + file.size, 0);
