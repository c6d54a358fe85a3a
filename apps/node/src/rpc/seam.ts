/**
 * A seam between modules over Nest's TCP transport. A seam is an abstract class (contract and
 * injection token) plus, here, the time-out of each of its methods. From that come the controller
 * that answers its message patterns (`peer.pause`, …) by calling an implementation, and the client
 * that turns calls into messages and goes on to the next endpoint when one does not answer.
 *
 * Every method takes values that MessagePack carries and returns a promise. Errors arrive as
 * SeamError. Callers must expect that a call which timed out was carried out all the same.
 */
import { Controller, Inject, Logger, type Type } from '@nestjs/common';
import {
  ClientTCP,
  MessagePattern,
  Payload,
  RpcException,
} from '@nestjs/microservices';
import { firstValueFrom, timeout, TimeoutError } from 'rxjs';
import { frameSocket } from './frame-socket';
import { maxFrame, SEAM } from './listener';
import { pskClient } from './psk';
import { SeamError, seamErrorCodes } from './seam-error';

type Method = (...args: never[]) => Promise<unknown>;
/** The methods of a contract and how long each may take, in milliseconds. */
export type TimeOuts<T> = {
  readonly [K in keyof T & string as T[K] extends Method ? K : never]: number;
};

export interface Seam<T> {
  readonly name: string;
  readonly contract: abstract new () => T;
  readonly timeOuts: TimeOuts<T>;
}

export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** Who can answer a seam, the best first; empty while nobody is known. */
export type Endpoints = () => readonly Endpoint[];

export function defineSeam<T>(
  name: string,
  contract: abstract new () => T,
  timeOuts: TimeOuts<T>,
): Seam<T> {
  return { name, contract, timeOuts };
}

/** A Nest controller that answers the seam's patterns by calling the provider `implementation`. */
export function seamController<T>(
  seam: Seam<T>,
  implementation: Type<T>,
): Type<unknown> {
  class SeamController {
    private readonly log = new Logger(seam.name);
    constructor(readonly target: T) {}

    async answer(method: string, args: unknown[]): Promise<unknown> {
      try {
        const call = (this.target as Record<string, Method>)[method];
        return (await call.apply(this.target, args as never[])) ?? null;
      } catch (error) {
        if (!(error instanceof SeamError))
          this.log.error(
            `${method}: ${(error as Error).stack ?? String(error)}`,
          );
        const { code, message } = SeamError.from(
          error instanceof SeamError ? error : undefined,
        );
        throw new RpcException({ code, message });
      }
    }
  }
  Inject(implementation)(SeamController, undefined as never, 0);
  for (const method of Object.keys(seam.timeOuts)) {
    const handler = function (
      this: SeamController,
      args: unknown,
    ): Promise<unknown> {
      return this.answer(method, Array.isArray(args) ? args : []);
    };
    Object.defineProperty(SeamController.prototype, method, {
      value: handler,
      configurable: true,
      writable: true,
    });
    const descriptor = Object.getOwnPropertyDescriptor(
      SeamController.prototype,
      method,
    ) as PropertyDescriptor;
    Payload()(SeamController.prototype, method, 0);
    MessagePattern(`${seam.name}.${method}`, SEAM)(
      SeamController.prototype,
      method,
      descriptor,
    );
  }
  Controller()(SeamController);
  return SeamController;
}

/** Connections to seam listeners, shared by all seams of a process. */
export class SeamConnections {
  private readonly clients = new Map<string, QuietClient>();

  constructor(private readonly key?: Buffer) {}

  private client(endpoint: Endpoint): QuietClient {
    const name = `${endpoint.host}:${endpoint.port}`;
    let client = this.clients.get(name);
    if (!client) {
      if (this.clients.size >= 64) this.close();
      client = new QuietClient({
        host: endpoint.host,
        port: endpoint.port,
        socketClass: frameSocket(maxFrame(SEAM)),
        ...(this.key ? { tlsOptions: pskClient(this.key) } : {}),
      });
      this.clients.set(name, client);
    }
    return client;
  }

  /** One call at one endpoint. Rejects with SeamError; `unavailable` when the endpoint did not answer. */
  async call(
    endpoint: Endpoint,
    pattern: string,
    args: readonly unknown[],
    ms: number,
  ): Promise<unknown> {
    const client = this.client(endpoint);
    try {
      return await firstValueFrom(client.send(pattern, args).pipe(timeout(ms)));
    } catch (error) {
      if (isAnswer(error)) throw SeamError.from(error);
      // A connection that never came about would keep every later call waiting.
      if (error instanceof TimeoutError && !client.connected) client.close();
      const why =
        error instanceof TimeoutError
          ? `no answer within ${ms / 1000} s`
          : errorText(error);
      throw new SeamError(
        'unavailable',
        `${endpoint.host}:${endpoint.port} (${pattern}): ${why}`,
      );
    }
  }

  close(): void {
    for (const client of this.clients.values()) client.close();
    this.clients.clear();
  }
}

/** The contract, answered by whichever endpoint is there: the one that answered last is asked first. */
export function seamClient<T extends object>(
  seam: Seam<T>,
  connections: SeamConnections,
  endpoints: Endpoints,
): T {
  let preferred = '';
  const call = async (method: string, args: unknown[]): Promise<unknown> => {
    const known = endpoints();
    const order = [...known].sort(
      (a, b) =>
        Number(nameOf(b) === preferred) - Number(nameOf(a) === preferred),
    );
    let last: SeamError | undefined;
    for (const endpoint of order.slice(0, 4)) {
      try {
        const result = await connections.call(
          endpoint,
          `${seam.name}.${method}`,
          args,
          (seam.timeOuts as Record<string, number>)[method],
        );
        preferred = nameOf(endpoint);
        return result;
      } catch (error) {
        last = SeamError.from(error);
        if (last.code !== 'unavailable') throw last;
      }
    }
    throw (
      last ??
      new SeamError(
        'unavailable',
        `no ${seam.name} has been found yet: start a node with that role, or name one`,
      )
    );
  };
  const client: Record<string, unknown> = {};
  for (const method of Object.keys(seam.timeOuts))
    client[method] = (...args: unknown[]) => call(method, args);
  return client as T;
}

/** Nest's client without its habit of logging every refused connection; the caller gets the error. */
export class QuietClient extends ClientTCP {
  get connected(): boolean {
    return this.socket?.netSocket.readyState === 'open';
  }

  override handleError(): void {
    // The rejected call tells.
  }
}

const nameOf = (endpoint: Endpoint): string =>
  `${endpoint.host}:${endpoint.port}`;

/** Our controllers answer errors as { code, message } with a code of ours; what the transport throws has others. */
function isAnswer(error: unknown): boolean {
  const code = (error as { code?: unknown } | null)?.code;
  return seamErrorCodes.some((known) => known === code);
}

function errorText(error: unknown): string {
  return (error as Error | null)?.message ?? String(error);
}
