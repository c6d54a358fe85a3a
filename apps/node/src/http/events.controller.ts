import {
  Controller,
  Get,
  Headers,
  Inject,
  Param,
  Query,
  Req,
  Res,
} from '@nestjs/common';
import {
  ApiOkResponse,
  ApiOperation,
  ApiProduces,
  ApiQuery,
  ApiTags,
} from '@nestjs/swagger';
import type { Request, Response } from 'express';
import { filter } from 'rxjs';
import { Peer } from '../peer/peer';
import { ApiProblems } from './documented';
import { EventHub, type NumberedEvent } from './event-hub';
import { cookieOf, SESSIONS } from './gate';
import { InfoHashPipe } from './info-hash.pipe';
import type { Sessions } from './session';
import type { Observable } from 'rxjs';

/** Often enough that proxies and browsers take the stream for alive. */
const beat = 15_000;
/** A page that does not read is cut off at this many bytes; it comes back and gets a snapshot. */
const maxQueued = 8 * 1024 * 1024;

@ApiTags('events')
@Controller()
export class EventsController {
  constructor(
    private readonly hub: EventHub,
    private readonly peer: Peer,
    @Inject(SESSIONS) private readonly sessions: Sessions | null,
  ) {}

  @Get('events')
  @ApiOperation({
    summary: 'Everything that changes, as Server-Sent Events',
    description:
      'Events: snapshot {downloads, publications} first (or what was missed since Last-Event-ID), then download, download-removed, publication, catalogue {version}, ring. Their data have the schemas of the lists.',
  })
  @ApiProduces('text/event-stream')
  @ApiQuery({
    name: 'lastEventId',
    required: false,
    description: 'As the header Last-Event-ID, for a first connection.',
  })
  @ApiOkResponse({ schema: { type: 'string' } })
  events(
    @Req() request: Request,
    @Res() response: Response,
    @Headers('last-event-id') header?: string,
    @Query('lastEventId') query?: string,
  ): void {
    this.endWithSession(request, response);
    send(response, this.hub.stream(header ?? query));
  }

  @Get('downloads/:id/progress')
  @ApiTags('downloads')
  @ApiOperation({
    summary:
      'One download, as Server-Sent Events `download` and `download-removed`',
  })
  @ApiProduces('text/event-stream')
  @ApiOkResponse({ schema: { type: 'string' } })
  @ApiProblems(400, 404)
  async progress(
    @Param('id', InfoHashPipe) id: string,
    @Req() request: Request,
    @Res() response: Response,
  ): Promise<void> {
    const download = await this.peer.download(id);
    const changes = this.hub
      .stream()
      .pipe(
        filter(
          ({ event }) =>
            (event.type === 'download' || event.type === 'download-removed') &&
            event.data.id === id,
        ),
      );
    this.endWithSession(request, response);
    send(response, changes, {
      id: '',
      event: { type: 'download', data: download },
    });
  }

  /** Who is signed out hears nothing more. */
  private endWithSession(request: Request, response: Response): void {
    const { sessions } = this;
    if (!sessions) return;
    const end = (): void => void response.end();
    response.on('close', sessions.watch(cookieOf(request), end));
  }
}

function send(
  response: Response,
  events: Observable<NumberedEvent>,
  first?: NumberedEvent,
): void {
  response.set({
    'Content-Type': 'text/event-stream',
    'Cache-Control': 'no-store',
    'X-Accel-Buffering': 'no',
  });
  response.flushHeaders();
  const write = ({ id, event }: NumberedEvent): void => {
    response.write(
      `${id ? `id: ${id}\n` : ''}event: ${event.type}\ndata: ${JSON.stringify(event.data)}\n\n`,
    );
    if (response.writableLength > maxQueued) response.destroy();
  };
  if (first) write(first);
  const timer = setInterval(() => response.write(': beat\n\n'), beat);
  const subscription = events.subscribe({
    next: write,
    error: () => response.end(),
    complete: () => response.end(),
  });
  response.on('close', () => {
    clearInterval(timer);
    subscription.unsubscribe();
  });
}
