/**
 * Uploads what is published: two at a time, with progress, to be stopped and tried again. The node
 * tells the rest (hashing, storing on the ring) by events that carry the same id.
 */
import { computed, DOCUMENT, inject, Injectable, signal } from '@angular/core';
import type { PublicationDto } from '@dnd/api-client';
import { Language } from '../language/language';
import { PublicationStore } from '../live/publication-store';
import { detailOf } from '../session/problem';
import { Session } from '../session/session';
import { Notices } from '../shell/notices';
import type { Draft } from './drafts';

const atOnce = 2;

export type UploadState =
  'waiting' | 'uploading' | 'sent' | 'done' | 'failed' | 'stopped';

export interface Upload {
  readonly id: string;
  readonly draft: Draft;
  readonly state: UploadState;
  readonly sentBytes: number;
  readonly problem?: string;
}

@Injectable({ providedIn: 'root' })
export class Uploads {
  private readonly document = inject(DOCUMENT);
  private readonly notices = inject(Notices);
  private readonly publications = inject(PublicationStore);
  private readonly session = inject(Session);
  private readonly t = inject(Language).texts;
  private readonly list = signal<readonly Upload[]>([]);
  private readonly requests = new Map<string, XMLHttpRequest>();

  readonly all = this.list.asReadonly();
  readonly active = computed(() =>
    this.list().some(
      ({ state }) => state === 'waiting' || state === 'uploading',
    ),
  );

  constructor() {
    this.document.defaultView?.addEventListener('beforeunload', (event) => {
      if (this.active()) event.preventDefault();
    });
  }

  start(drafts: readonly Draft[]): void {
    const uploads = drafts.map((draft): Upload => ({
      id: newId(),
      draft,
      state: 'waiting',
      sentBytes: 0,
    }));
    this.list.update((before) => [...uploads, ...before]);
    this.pump();
  }

  stop(id: string): void {
    this.change(id, { state: 'stopped' });
    this.requests.get(id)?.abort();
    this.pump();
  }

  /** Sends it once more, from the beginning and under a new id. */
  again(id: string): void {
    const upload = this.list().find((item) => item.id === id);
    if (!upload) return;
    this.forget(id);
    this.start([upload.draft]);
  }

  forget(id: string): void {
    this.list.update((before) => before.filter((item) => item.id !== id));
  }

  private pump(): void {
    const running = this.list().filter(({ state }) => state === 'uploading');
    const waiting = this.list().filter(({ state }) => state === 'waiting');
    // The list shows the newest first; they are sent in the order they were chosen.
    const room = Math.max(0, atOnce - running.length);
    for (const upload of waiting.slice(0, room)) this.send(upload);
  }

  private send({ id, draft }: Upload): void {
    const request = new XMLHttpRequest();
    this.requests.set(id, request);
    this.change(id, { state: 'uploading', sentBytes: 0 });
    request.upload.onprogress = ({ loaded, total }) => {
      const part = total > 0 ? loaded / total : 0;
      this.change(id, { sentBytes: Math.round(part * draft.size) });
    };
    request.upload.onload = () => {
      this.change(id, { state: 'sent', sentBytes: draft.size });
      this.pump();
    };
    request.onload = () => this.onAnswer(id, draft, request);
    request.onerror = () => this.onEnd(id, 'failed', this.t().errors.offline);
    request.onabort = () => this.onEnd(id, 'stopped');
    request.open('POST', '/api/publications');
    request.setRequestHeader('Accept', 'application/json');
    request.send(formOf(id, draft));
  }

  private onAnswer(id: string, draft: Draft, request: XMLHttpRequest): void {
    if (request.status === 201) {
      const publication = JSON.parse(request.responseText) as PublicationDto;
      this.publications.put({ ...publication, id });
      this.notices.say(this.t().publish.done(publication.name || draft.name));
      this.onEnd(id, 'done');
      return;
    }
    if (request.status === 401) this.session.expired();
    const unknown = `${this.t().errors.unknown} (${request.status})`;
    this.onEnd(id, 'failed', detailOf(request.responseText) ?? unknown);
  }

  private onEnd(id: string, state: UploadState, problem?: string): void {
    this.requests.delete(id);
    this.change(id, { state, ...(problem ? { problem } : {}) });
    this.pump();
  }

  private change(id: string, change: Partial<Upload>): void {
    this.list.update((before) =>
      before.map((item) => (item.id === id ? { ...item, ...change } : item)),
    );
  }
}

/** The text parts come first: the node reads them before the files begin. */
function formOf(id: string, draft: Draft): FormData {
  const form = new FormData();
  form.append('id', id);
  form.append('name', draft.name);
  if (draft.comment) form.append('comment', draft.comment);
  if (draft.private) form.append('private', 'true');
  if (draft.format) form.append('format', draft.format);
  for (const { file, path } of draft.files) form.append('files', file, path);
  return form;
}

/** As unique as it has to be for one node; also where the page is not served securely. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return `web-${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
}
