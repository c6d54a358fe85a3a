/** Nest's TCP server for one of our two listeners: framed, bounded, and on the next free port where the wanted one is taken. */
import { Logger } from '@nestjs/common';
import { ServerTCP } from '@nestjs/microservices';
import type { AddressInfo, Server as NetServer } from 'node:net';
import { frameSocket } from './frame-socket';
import { pskServer } from './psk';

/** Message patterns name one of these as their transport, so that a handler of the seams never answers on the ring. */
export const SEAM = Symbol('seam');
export const RING = Symbol('ring');
export type ListenerId = typeof SEAM | typeof RING;

/** Bytes a frame; a .torrent of 10 MiB crosses a seam whole and the ring in parts. */
export const maxFrame = (id: ListenerId): number =>
  id === SEAM ? 32 * 1024 * 1024 : 2 * 1024 * 1024;

/** Connections at one time; a ring of thousands talks to a node's neighbourhood, not to all of it. */
const maxConnections = 1024;
/** Kinds of trouble that are said. */
const maxSaid = 20;

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  /** True: this port or none. False: the next free one from it. */
  readonly exact: boolean;
  /** Pre-shared key; without it the connections are plain. */
  readonly key?: Buffer;
}

export class Listener extends ServerTCP {
  override readonly transportId: ListenerId;
  private readonly log: Logger;
  private readonly said = new Set<string>();

  constructor(
    id: ListenerId,
    private readonly where: ListenerOptions,
  ) {
    super({
      host: where.host,
      port: where.port,
      socketClass: frameSocket(maxFrame(id)),
      ...(where.key ? { tlsOptions: pskServer(where.key) } : {}),
    });
    this.transportId = id;
    this.server.maxConnections = maxConnections;
    this.log = new Logger(id === SEAM ? 'Seam' : 'Ring');
    // A remote with a wrong secret ends inside TLS.
    this.server.on('tlsClientError', (error) => this.handleError(error));
  }

  /** The port it has, once it listens. */
  get boundPort(): number {
    return (this.unwrap<NetServer>().address() as AddressInfo).port;
  }

  override listen(callback: (error?: unknown) => void): void {
    const server = this.server;
    const attempt = (port: number): void => {
      const failed = (error: NodeJS.ErrnoException): void => {
        if (
          error.code === 'EADDRINUSE' &&
          !this.where.exact &&
          port < this.where.port + 1000
        )
          attempt(port + 1);
        else callback(error);
      };
      server.once('error', failed);
      server.listen(port, this.where.host, () => {
        server.removeListener('error', failed);
        callback();
      });
    };
    attempt(this.where.port);
  }

  /** Patterns are plain names here; Nest would first try whether each is JSON, which costs an exception a message. */
  override getRouteFromPattern(pattern: string): string {
    return this.messageHandlers.has(pattern)
      ? pattern
      : super.getRouteFromPattern(pattern);
  }

  /** Neither seams nor ring have messages without an answer. */
  override async handleEvent(): Promise<void> {
    // Not a word in the log: anybody may send them.
  }

  /** Says each kind of trouble once, not a line for every connection that brings it. */
  override handleError(error: unknown): void {
    const text = error instanceof Error ? error.message : String(error);
    const why = /SSL routines/.test(text) ? 'another secret, or none' : text;
    const isNew = !this.said.has(why) && this.said.size < maxSaid;
    if (/EADDRINUSE/.test(text) || !isNew) return;
    this.said.add(why);
    this.log.warn(`a connection was refused: ${why} (said once)`);
  }
}
