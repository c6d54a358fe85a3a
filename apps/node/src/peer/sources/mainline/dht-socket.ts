/**
 * What the DHT library takes for its UDP socket: datagrams come from the port that uTP uses too, only
 * sound messages pass, queries of one host and of all together are bounded, and nothing that the
 * library throws over one of them goes further.
 */
import { EventEmitter } from 'node:events';
import { dhtMessageKind } from './dht-message';

export type SendDatagram = (
  datagram: Uint8Array,
  host: string,
  port: number,
) => void;

/** Queries answered in a second. */
const mostQueries = 200;
const mostQueriesOfHost = 20;

export class DhtSocket extends EventEmitter {
  private readonly asked = new Map<string, number>();
  private queries = 0;
  private second = 0;

  constructor(
    private readonly sendTo: SendDatagram,
    private readonly port: () => number,
    /** Milliseconds. */
    private readonly now: () => number,
  ) {
    super();
  }

  received(datagram: Buffer, host: string, port: number): void {
    // The library knows IPv4 alone.
    if (port === 0 || host.includes(':')) return;
    const kind = dhtMessageKind(datagram);
    if (!kind || (kind === 'query' && !this.mayAsk(host))) return;
    try {
      this.emit('message', datagram, { address: host, port });
    } catch {
      // The library stumbled over this one message.
    }
  }

  private mayAsk(host: string): boolean {
    const second = Math.floor(this.now() / 1_000);
    if (second !== this.second) {
      this.second = second;
      this.queries = 0;
      this.asked.clear();
    }
    const count = (this.asked.get(host) ?? 0) + 1;
    if (count > mostQueriesOfHost || this.queries >= mostQueries) return false;
    this.queries++;
    this.asked.set(host, count);
    return true;
  }

  // --- as the library calls it ---

  send(
    buffer: Uint8Array,
    offset: number,
    length: number,
    port: number,
    host: string,
    sent: () => void,
  ): void {
    this.sendTo(buffer.subarray(offset, offset + length), host, port);
    queueMicrotask(sent);
  }

  bind(): void {
    queueMicrotask(() => this.emit('listening'));
  }

  address(): { readonly address: string; readonly port: number } {
    return { address: '0.0.0.0', port: this.port() };
  }

  close(): void {
    queueMicrotask(() => this.emit('close'));
  }
}
