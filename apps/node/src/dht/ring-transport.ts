/**
 * Messages between the nodes of the ring over Nest's TCP transport (`ring.chord`, `ring.records`).
 * Outgoing: one connection a node, kept while it is used. Incoming: a message is let in only when the
 * core's own guard says that it is one; the answer may come later and is awaited for a bounded time.
 */
import { isNodeRef, type NodeRef } from '@dnd/chord';
import { Logger } from '@nestjs/common';
import { Subscription } from 'rxjs';
import { every } from '../beat';
import { frameSocket } from '../rpc/frame-socket';
import { maxFrame, RING } from '../rpc/listener';
import { pskClient } from '../rpc/psk';
import { QuietClient } from '../rpc/seam';

export type Protocol = 'chord' | 'records';

/** Longer than any time-out inside the cores, which decide for themselves when silence is failure. */
const answerTimeOut = 10_000;
/** How often the calls are looked over, milliseconds. */
const sweepPeriod = 1_000;
const maxConnections = 512;
const maxWaiting = 20_000;

export interface Incoming {
  /** Name of the sender's ring: nodes of different rings do not talk, with a secret or without. */
  readonly ring: string;
  readonly from: NodeRef;
  readonly message: unknown;
}

/** A call that is open, in either direction. */
interface Open {
  readonly until: number;
  /** Ends it with an answer, or without one. Ends it only once. */
  end(answer?: unknown): void;
}

export class RingTransport {
  private readonly clients = new Map<string, QuietClient>();
  /** Who was last spoken to over each connection. */
  private readonly ids = new Map<string, string>();
  /** In the order of their ends, for all are given the same time. */
  private readonly asked = new Map<number, Open>();
  private readonly waiting = new Map<number, Open>();
  private nextCall = 1;
  private readonly log = new Logger('Ring');
  private complained = false;
  /** One timer for all calls: one for each costs more than the call. */
  private readonly endSweeping = every(sweepPeriod, () => this.sweep());

  constructor(
    private readonly ring: string,
    private readonly key: Buffer | undefined,
    /** A node's end of a connection is gone: that of a process that was killed, at once. */
    private readonly onLost: (id: string) => void,
  ) {}

  /** Resolves with the answer, or undefined when there is none to be had. */
  request(
    protocol: Protocol,
    to: NodeRef,
    from: NodeRef,
    message: unknown,
  ): Promise<unknown> {
    const client = this.client(`${to.host}:${to.port}`, to);
    const incoming: Incoming = { ring: this.ring, from, message };
    return new Promise((resolve) => {
      const call = this.open(this.asked, (answer) => {
        subscription.unsubscribe();
        if (answer === undefined && !client.connected) client.close();
        resolve(answer);
      });
      const end = (answer?: unknown): void => this.asked.get(call)?.end(answer);
      const subscription = new Subscription();
      subscription.add(
        client.send(`ring.${protocol}`, incoming).subscribe({
          next: (answer) => {
            if (this.isStranger(answer, `${to.host}:${to.port}`)) end();
            else end(answer);
          },
          error: () => end(),
          complete: () => end(),
        }),
      );
    });
  }

  /** Hands an incoming message to `deliver` with a call number; resolves when `answer` is called with that number. */
  incoming(
    data: unknown,
    deliver: (call: number, from: NodeRef, message: unknown) => boolean,
  ): Promise<unknown> {
    const { ring, from, message } = (data ?? {}) as Partial<Incoming>;
    if (!isNodeRef(from) || this.waiting.size >= maxWaiting)
      return Promise.resolve(null);
    if (this.isStranger({ ring }, `${from.host}:${from.port}`))
      return Promise.resolve({ ring: this.ring });
    return new Promise((resolve) => {
      const call = this.open(this.waiting, (answer) => resolve(answer ?? null));
      if (!deliver(call, from, message)) this.answer(call, null);
    });
  }

  answer(call: number, message: unknown): void {
    this.waiting.get(call)?.end(message);
  }

  close(): void {
    this.endSweeping();
    for (const client of this.clients.values()) client.close();
    this.clients.clear();
    this.ids.clear();
    for (const calls of [this.asked, this.waiting])
      for (const { end } of calls.values()) end();
  }

  /** Is this said by a node of another ring? Complains of it once. */
  private isStranger(said: unknown, where: string): boolean {
    const { ring } = (said ?? {}) as { ring?: unknown };
    const isAnswer =
      typeof said === 'object' && said !== null && 'ring' in said;
    if (!isAnswer || ring === this.ring) return false;
    if (!this.complained)
      this.log.warn(
        `${where} belongs to another ring than ${this.ring} and is refused (said once)`,
      );
    this.complained = true;
    return true;
  }

  private open(
    calls: Map<number, Open>,
    ended: (answer: unknown) => void,
  ): number {
    const call = this.nextCall++;
    calls.set(call, {
      until: performance.now() + answerTimeOut,
      end: (answer) => {
        if (calls.delete(call)) ended(answer);
      },
    });
    return call;
  }

  private sweep(): void {
    const now = performance.now();
    for (const calls of [this.asked, this.waiting])
      for (const { until, end } of calls.values()) {
        if (until > now) break;
        end();
      }
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
      client.status.subscribe((status) => {
        const id = this.ids.get(name);
        if (id && String(status) === 'disconnected') this.onLost(id);
      });
    }
    this.clients.set(name, client);
    if (to.id !== '') this.ids.set(name, to.id);
    if (this.clients.size > maxConnections) {
      const [oldest, old] = this.clients.entries().next().value as [
        string,
        QuietClient,
      ];
      this.clients.delete(oldest);
      this.ids.delete(oldest);
      old.close();
    }
    return client;
  }
}
