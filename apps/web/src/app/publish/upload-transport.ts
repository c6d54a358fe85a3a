/** How the bytes of an upload get to the node: made with its list of files, then sent from an offset on. */
import { HttpErrorResponse } from '@angular/common/http';
import { inject, Injectable } from '@angular/core';
import {
  Api,
  createUpload,
  discardUpload,
  getUpload,
  type UploadDetailDto,
  type UploadDto,
} from '@dnd/api-client';
import type { Draft } from './drafts';

/** Bytes of one request. A node's refusal is heard at its end only: browsers read no answer before. */
const chunk = 32 * 2 ** 20;

export type Sent =
  /** The node has everything before `offset`. */
  | { readonly type: 'at'; readonly offset: number }
  | { readonly type: 'gone' | 'lost' | 'stopped' }
  /** Problem details of the node. */
  | {
      readonly type: 'refused';
      readonly status: number;
      readonly body: string;
    };

export interface Sending {
  readonly ended: Promise<Sent>;
  stop(): void;
}

@Injectable({ providedIn: 'root' })
export class UploadTransport {
  private readonly api = inject(Api);

  /** May be repeated with the same id when the answer was lost. */
  begin(id: string, draft: Draft): Promise<UploadDto> {
    const { name, comment, format, pieceLength } = draft;
    return this.api.invoke(createUpload, {
      body: {
        id,
        name,
        private: draft.private,
        ...(comment ? { comment } : {}),
        ...(format ? { format } : {}),
        ...(pieceLength ? { pieceLength } : {}),
        files: draft.files.map(({ file, path }) => ({
          path,
          size: file.size,
          modified: file.lastModified,
        })),
      },
    });
  }

  look(id: string): Promise<UploadDetailDto> {
    return this.api.invoke(getUpload, { upload: id });
  }

  /** An upload that the node does not know any more is discarded already. */
  async discard(id: string): Promise<void> {
    try {
      await this.api.invoke(discardUpload, { upload: id });
    } catch (error) {
      const gone = error instanceof HttpErrorResponse && error.status === 404;
      if (!gone) throw error;
    }
  }

  /** Sends at most one chunk of `content`; `onProgress` hears how far the whole is. */
  send(
    id: string,
    content: Blob,
    offset: number,
    onProgress: (sent: number) => void,
  ): Sending {
    const request = new XMLHttpRequest();
    const ended = new Promise<Sent>((resolve) => {
      request.upload.onprogress = ({ loaded }) => onProgress(offset + loaded);
      request.onload = () => resolve(answerOf(request));
      request.onerror = () => resolve({ type: 'lost' });
      request.onabort = () => resolve({ type: 'stopped' });
    });
    request.open('PATCH', `/api/uploads/${id}`);
    request.setRequestHeader('Accept', 'application/json');
    request.setRequestHeader('Content-Type', 'application/offset+octet-stream');
    request.setRequestHeader('Upload-Offset', String(offset));
    request.send(content.slice(offset, offset + chunk));
    return { ended, stop: () => request.abort() };
  }
}

function answerOf(request: XMLHttpRequest): Sent {
  const { status, responseText: body } = request;
  const offset = Number(request.getResponseHeader('Upload-Offset') ?? NaN);
  // 409: somewhere between what was sent and what was answered the two lost each other.
  const told = status === 204 || status === 409;
  if (told && Number.isFinite(offset)) return { type: 'at', offset };
  if (status === 404) return { type: 'gone' };
  return { type: 'refused', status, body };
}
