/** Announces over UDP: one socket a family for all trackers, one client a tracker (BEP 15). */
import {
  UdpTrackerClient,
  type AnnounceAnswer,
  type AnnounceFacts,
  type UdpClientInput,
} from '@dnd/tracker';
import { randomBytes } from 'node:crypto';
import { createSocket, type Socket } from 'node:dgram';
import { lookup } from 'node:dns/promises';

interface Asked {
  resolve(answer: AnnounceAnswer): void;
  reject(error: Error): void;
}

interface Place {
  readonly client: UdpTrackerClient;
  readonly address: string;
  readonly port: number;
  readonly family: 4 | 6;
}

/** 15 + 30 s. */
const attempts = 2;
const mostTrackers = 200;

export class UdpAnnouncer {
  private readonly places = new Map<string, Place>();
  private readonly asked = new Map<number, Asked>();
  private readonly sockets = new Map<4 | 6, Socket>();
  private nextCall = 1;
  private timer: NodeJS.Timeout | undefined;

  constructor(private readonly now: () => number) {}

  /** Throws Error with words for the list of trackers. */
  async announce(
    tracker: string,
    facts: AnnounceFacts,
  ): Promise<AnnounceAnswer> {
    const url = new URL(tracker);
    const place = await this.place(url);
    const call = this.nextCall++;
    return new Promise((resolve, reject) => {
      this.asked.set(call, { resolve, reject });
      const urlData = url.pathname + url.search;
      this.handle(place, { type: 'announce', call, facts, urlData });
    });
  }

  close(): void {
    clearTimeout(this.timer);
    for (const { reject } of this.asked.values())
      reject(new Error('the node is stopping'));
    this.asked.clear();
    for (const socket of this.sockets.values()) socket.close();
    this.sockets.clear();
  }

  private async place(url: URL): Promise<Place> {
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const { address, family } = await lookup(host);
    const key = `${address} ${url.port}`;
    const known = this.places.get(key);
    if (known) return known;
    if (this.places.size >= mostTrackers)
      this.places.delete(this.places.keys().next().value as string);
    const place: Place = {
      client: new UdpTrackerClient({
        random: () => randomBytes(4).readUInt32BE(),
        family: family === 6 ? 16 : 4,
        attempts,
      }),
      address,
      port: Number(url.port),
      family: family === 6 ? 6 : 4,
    };
    this.places.set(key, place);
    return place;
  }

  private handle(place: Place, input: UdpClientInput): void {
    for (const output of place.client.handle(input, this.now())) {
      if (output.type === 'send') this.send(place, output.bytes);
      else if (output.type !== 'scraped') {
        const asked = this.asked.get(output.call);
        this.asked.delete(output.call);
        if (output.type === 'announced') asked?.resolve(output.answer);
        else asked?.reject(new Error(output.reason));
      }
    }
    this.wake();
  }

  private send({ address, port, family }: Place, bytes: Uint8Array): void {
    // What is not sent is not answered, which the client sees by itself.
    this.socket(family).send(bytes, port, address, () => undefined);
  }

  private socket(family: 4 | 6): Socket {
    const known = this.sockets.get(family);
    if (known) return known;
    const socket = createSocket(family === 4 ? 'udp4' : 'udp6');
    socket.on('message', (bytes, { address, port }) => {
      const place = this.places.get(`${address} ${port}`);
      if (place) this.handle(place, { type: 'datagram', bytes });
    });
    socket.on('error', () => {
      this.sockets.delete(family);
      socket.close();
    });
    socket.unref();
    this.sockets.set(family, socket);
    return socket;
  }

  private wake(): void {
    clearTimeout(this.timer);
    let at = Infinity;
    for (const { client } of this.places.values())
      at = Math.min(at, client.wakeAt);
    if (at === Infinity) return;
    this.timer = setTimeout(
      () => {
        for (const place of [...this.places.values()])
          this.handle(place, { type: 'tick' });
      },
      Math.max(0, at - this.now()),
    );
  }
}
