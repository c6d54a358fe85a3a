/**
 * Messages between the nodes of the ring over Nest's TCP transport (`ring.chord`, `ring.records`).
 * Outgoing: one connection a node, kept while it is used. Incoming: a message is let in only when the
 * core's own guard says that it is one; the answer may come later and is awaited for a bounded time.
 */
import { isNodeRef, type NodeRef } from '@dnd/chord';
import { firstValueFrom, timeout } from 'rxjs';
import { frameSocket } from '../rpc/frame-socket';
import { maxFrame, RING } from '../rpc/listener';
import { pskClient } from '../rpc/psk';
import { QuietClient } from '../rpc/seam';

export type Protocol = 'chord' | 'records';

/** Longer than any time-out inside the cores, which decide for themselves when silence is failure. */
const answerTimeOut = 10_000;
const maxConnections = 512;
const maxWaiting = 20_000;

export interface Incoming {
  readonly from: NodeRef;
  readonly message: unknown;
}

export class RingTransport {
  private readonly clients = new Map<string, QuietClient>();
  private readonly waiting = new Map<number, (message: unknown) => void>();
  private nextCall = 1;

  constructor(private readonly key: Buffer | undefined) {}

  /** Resolves with the answer, or undefined when there is none to be had. */
  async request(
    protocol: Protocol,
    to: NodeRef,
    from: NodeRef,
    message: unknown,
  ): Promise<unknown> {
    const client = this.client(`${to.host}:${to.port}`, to);
    try {
      const incoming: Incoming = { from, message };
      return await firstValueFrom(
        client.send(`ring.${protocol}`, incoming).pipe(timeout(answerTimeOut)),
      );
    } catch {
      if (!client.connected) client.close();
      return undefined;
    }
  }

  /** Hands an incoming message to `deliver` with a call number; resolves when `answer` is called with that number. */
  incoming(
    data: unknown,
    deliver: (call: number, from: NodeRef, message: unknown) => boolean,
  ): Promise<unknown> {
    const { from, message } = (data ?? {}) as Partial<Incoming>;
    if (!isNodeRef(from) || this.waiting.size >= maxWaiting)
      return Promise.resolve(null);
    const call = this.nextCall++;
    return new Promise((resolve) => {
      const timer = setTimeout(() => done(null), answerTimeOut);
      const done = (answer: unknown): void => {
        clearTimeout(timer);
        this.waiting.delete(call);
        resolve(answer);
      };
      this.waiting.set(call, done);
      if (!deliver(call, from, message)) done(null);
    });
  }

  answer(call: number, message: unknown): void {
    this.waiting.get(call)?.(message);
  }

  close(): void {
    for (const client of this.clients.values()) client.close();
    this.clients.clear();
    for (const done of this.waiting.values()) done(null);
  }

  private client(name: string, to: NodeRef): QuietClient {
    let client = this.clients.get(name);
    if (client) {
      // The order of the map is the order of use.
      this.clients.delete(name);
    } else {
      client = new QuietClient({
        host: to.host,
        port: to.port,
        socketClass: frameSocket(maxFrame(RING)),
        ...(this.key ? { tlsOptions: pskClient(this.key) } : {}),
      });
    }
    this.clients.set(name, client);
    if (this.clients.size > maxConnections) {
      const [oldest, old] = this.clients.entries().next().value as [
        string,
        QuietClient,
      ];
      this.clients.delete(oldest);
      old.close();
    }
    return client;
  }
}
