/**
 * Uploads from the browser, streamed to `.node/incoming/<id>/` in the Storage folder and never held in
 * memory. What arrives whole is handed to the peer; what does not is deleted. One upload is one
 * publication: a file, or a folder whose files have relative paths as their names.
 */
import { Inject, Injectable } from '@nestjs/common';
import type { Request } from 'express';
import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, realpath, rename, rm } from 'node:fs/promises';
import { basename, dirname, join, sep } from 'node:path';
import { Transform, type Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Config } from '../config/config';
import type { Publish } from '../peer/peer';
import {
  PublishOptionsDto,
  type PublicationDto,
} from '../peer/dto/publication.dto';
import { SeamError } from '../rpc/seam-error';
import { EventHub } from './event-hub';
import { multipartParser } from './multipart-parser';
import {
  formName,
  maxFiles,
  roomFor,
  safeParts,
  storageError,
} from './upload-files';
import { validated } from './validated';

const maxUploads = 64;
/** How often the progress of an upload is told, bytes. */
const progressStep = 4 * 1024 * 1024;

@Injectable()
export class Uploads {
  private readonly active = new Map<string, PublicationDto>();

  constructor(
    @Inject(Config) private readonly config: Config,
    private readonly events: EventHub,
  ) {}

  receiving(): PublicationDto[] {
    return [...this.active.values()];
  }

  /** Streams a multipart request to the disk; the result is ready for `Peer.publish`. */
  async receive(request: Request): Promise<Publish> {
    if (this.active.size >= maxUploads)
      throw new SeamError(
        'unavailable',
        `${maxUploads} uploads are under way; wait for one to end`,
      );
    const size = Number(request.headers['content-length'] ?? 0);
    await roomFor(this.config.storage, size);
    const id = randomUUID();
    const folder = join(this.config.storage, '.node', 'incoming', id);
    const progress: PublicationDto = {
      id,
      name: '',
      size,
      files: 0,
      state: 'receiving',
      doneBytes: 0,
    };
    this.active.set(id, progress);
    try {
      await mkdir(folder, { recursive: true });
      const fields = await this.write(request, folder, progress);
      const { id: chosen, ...rest } = fields;
      const options = await validated(PublishOptionsDto, typed(rest));
      const path = await gather(folder, progress, options.name);
      return { ...options, id: chosen || id, path, take: true };
    } catch (error) {
      await rm(folder, { recursive: true, force: true });
      const failure = storageError(error);
      this.tell({ ...progress, state: 'failed', reason: failure.message });
      throw failure;
    } finally {
      this.active.delete(id);
    }
  }

  /** A path that the owner named, if it lies below a share root. */
  async shared(path: string): Promise<Pick<Publish, 'id' | 'path' | 'take'>> {
    const real = await realpath(path).catch(() => {
      throw new SeamError('not-found', `there is no ${path} on this node`);
    });
    for (const root of this.config.shares) {
      const base = await realpath(root).catch(() => undefined);
      if (
        base &&
        (real === base ||
          real.startsWith(base.endsWith(sep) ? base : base + sep))
      )
        return { id: randomUUID(), path: real, take: false };
    }
    throw new SeamError(
      'forbidden',
      `${path} is not below a share root; start the node with --share DIR to allow it`,
    );
  }

  private tell(progress: PublicationDto): void {
    this.events.emit({ type: 'publication', data: { ...progress } });
  }

  private write(
    request: Request,
    folder: string,
    progress: PublicationDto,
  ): Promise<Record<string, string>> {
    return new Promise((resolve, reject) => {
      const fields: Record<string, string> = {};
      const writes: Promise<void>[] = [];
      const open = new Set<Readable>();
      let told = 0;
      let failed = false;
      const parser = multipartParser({
        headers: request.headers,
        preservePath: true,
        defParamCharset: 'utf8',
        limits: { files: maxFiles, fields: 20, fieldSize: 8192 },
      });
      const fail = (error: unknown): void => {
        if (failed) return;
        failed = true;
        request.unpipe(parser);
        request.resume();
        // What waits for the rest of a file would wait for ever.
        for (const stream of open) stream.destroy(error as Error);
        void Promise.allSettled(writes).then(() => reject(error));
      };
      const damaged = (error: unknown): void =>
        fail(
          new SeamError(
            'bad-input',
            `the upload is damaged: ${(error as Error).message}`,
          ),
        );
      parser.on('field', (name, value) => {
        fields[name] = value;
        if (name === 'id' && /^[\w-]{1,64}$/.test(value)) progress.id = value;
        if (name === 'name') progress.name = value;
      });
      parser.on('file', (field, stream, { filename }) => {
        if (field !== 'files' || failed) {
          stream.on('error', damaged);
          return void stream.resume();
        }
        const count = new Transform({
          transform: (chunk: Buffer, _encoding, done) => {
            progress.doneBytes += chunk.length;
            if (progress.doneBytes - told >= progressStep) {
              told = progress.doneBytes;
              this.tell(progress);
            }
            done(null, chunk);
          },
        });
        open.add(stream);
        const write = writeFile(stream, count, folder, filename, progress);
        writes.push(write);
        write.then(
          () => open.delete(stream),
          (error) => (isOurs(error) ? fail(error) : damaged(error)),
        );
      });
      parser.on('filesLimit', () =>
        fail(
          new SeamError(
            'too-large',
            `a publication has at most ${maxFiles} files`,
          ),
        ),
      );
      parser.on('error', damaged);
      parser.on(
        'close',
        () =>
          void Promise.all(writes).then(() => !failed && resolve(fields), fail),
      );
      request.on('aborted', () =>
        fail(new SeamError('bad-input', 'the upload was broken off')),
      );
      request.pipe(parser);
    });
  }
}

async function writeFile(
  stream: Readable,
  count: Transform,
  folder: string,
  filename: string | undefined,
  progress: PublicationDto,
): Promise<void> {
  // Before the pipeline listens, a form that is cut off must not end the program.
  stream.on('error', () => undefined);
  let parts: string[];
  try {
    parts = safeParts(formName(filename ?? ''));
  } catch (error) {
    stream.resume();
    throw error;
  }
  const target = join(folder, ...parts);
  progress.name ||= parts[0];
  progress.files++;
  await mkdir(dirname(target), { recursive: true });
  await pipeline(stream, count, createWriteStream(target, { flags: 'wx' }));
}

/** Makes one file or one folder of what arrived, under the name it will have. */
async function gather(
  folder: string,
  progress: PublicationDto,
  name: string | undefined,
): Promise<string> {
  const top = await readdir(folder);
  if (top.length === 0)
    throw new SeamError(
      'bad-input',
      'the part "files" is missing: send at least one file',
    );
  if (top.length === 1 && !name) return join(folder, top[0]);
  const wanted = name
    ? safeParts(name)
    : [`${basename(top[0])} and ${top.length - 1} more`];
  if (wanted.length !== 1)
    throw new SeamError('bad-input', 'the name must not contain "/"');
  progress.name = wanted[0];
  if (top.length === 1) {
    if (top[0] !== wanted[0])
      await rename(join(folder, top[0]), join(folder, wanted[0]));
    return join(folder, wanted[0]);
  }
  const holder = join(folder, `.${randomUUID()}`);
  await mkdir(holder);
  for (const entry of top)
    await rename(join(folder, entry), join(holder, entry));
  await rename(holder, join(folder, wanted[0]));
  return join(folder, wanted[0]);
}

/** Multipart fields are text; validation wants the types. */
function typed(fields: Record<string, string>): Record<string, unknown> {
  const { private: isPrivate, pieceLength, ...rest } = fields;
  return {
    ...Object.fromEntries(
      Object.entries(rest).filter(([, value]) => value !== ''),
    ),
    ...(isPrivate
      ? { private: isPrivate === 'true' || isPrivate === 'on' }
      : {}),
    ...(pieceLength ? { pieceLength: Number(pieceLength) } : {}),
  };
}

/** An error of the disk or of our own words; others come from the form. */
const isOurs = (error: unknown): boolean =>
  error instanceof SeamError ||
  /^E[A-Z]+$/.test(String((error as NodeJS.ErrnoException).code));
