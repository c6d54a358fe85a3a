/**
 * The tracker's UDP side: a socket for @dnd/tracker's UdpTracker. Answers are sent from one buffer as
 * long as the kernel takes each at once. Datagrams that ask of a swarm which is not known yet wait
 * for it; when too many do, they are answered with what is known.
 */
import { UDP_MAX_ANSWER, type UdpTracker } from '@dnd/tracker';
import type { RemoteInfo, Socket } from 'node:dgram';
import { datagramRoom, openDatagrams } from '../datagrams';
import type { AnswerMeter } from './answer-meter';

const maxWaiting = 10_000;

export interface UdpListenerOptions {
  readonly tracker: UdpTracker;
  readonly meter: AnswerMeter;
  /** Milliseconds by a clock that is never set back. */
  readonly now: () => number;
  /** Resolves when a swarm that is not known yet was asked about. */
  readonly learn: (infoHash: Uint8Array) => Promise<void>;
  readonly warn: (message: string) => void;
}

export class UdpListener {
  private socket: Socket | undefined;
  private waiting = 0;
  /** The first so many bytes of the tracker's buffer for answers, made once for each length. */
  private answers: Buffer[] = [];
  private queued = false;

  constructor(private readonly options: UdpListenerOptions) {}

  async bind(port: number, host: string): Promise<void> {
    const socket = await openDatagrams(port, host);
    socket.on('message', (data, remote) => this.receive(data, remote));
    socket.on('error', (error) => this.options.warn(`UDP: ${error.message}`));
    this.socket = socket;
  }

  close(): void {
    this.socket?.close();
    this.socket = undefined;
  }

  private receive(data: Buffer, remote: RemoteInfo): void {
    const { tracker, meter } = this.options;
    const began = meter.begin();
    const length = tracker.receive(data, remote.address, this.options.now());
    if (length > 0) this.send(length, remote);
    else if (tracker.waitsFor.length > 0)
      void this.wait(tracker.waitsFor, data, remote);
    meter.end(began);
  }

  private async wait(
    swarms: readonly Uint8Array[],
    data: Buffer,
    remote: RemoteInfo,
  ): Promise<void> {
    if (this.waiting < maxWaiting) {
      this.waiting++;
      await Promise.all(swarms.map(this.options.learn));
      this.waiting--;
    }
    const { tracker } = this.options;
    const length = tracker.receive(
      data,
      remote.address,
      this.options.now(),
      true,
    );
    if (length > 0) this.send(length, remote);
  }

  private send(length: number, remote: RemoteInfo): void {
    const { socket } = this;
    if (socket === undefined) return;
    if (this.queued && socket.getSendQueueSize() > datagramRoom) return;
    const { tracker } = this.options;
    const { buffer, byteOffset } = tracker.out;
    const answer = (this.answers[length] ??= Buffer.from(
      buffer,
      byteOffset,
      length,
    ));
    socket.send(answer, remote.port, remote.address);
    this.queued = socket.getSendQueueCount() > 0;
    // What the kernel did not take at once still stands in the buffer.
    if (this.queued) {
      tracker.out = new Uint8Array(UDP_MAX_ANSWER);
      this.answers = [];
    }
  }
}
