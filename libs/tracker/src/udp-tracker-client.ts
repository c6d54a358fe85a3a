/**
 * One UDP tracker as a client asks it (BEP 15, BEP 41): connects, keeps the connection id for a
 * minute, repeats what stays unanswered after 15 · 2ⁿ s, and takes no answer that it did not ask
 * for. A machine without a socket: its owner sends what it says to the tracker's one address,
 * feeds it the datagrams that come from there, and wakes it at `wakeAt`.
 */
import { word } from './peer-store';
import {
  type AnnounceAnswer,
  readCompactPeers,
  type ScrapeAnswer,
  type ScrapeEntry,
} from './tracker-answer';
import type { AnnounceFacts, ClientEvent } from './tracker-url';
import { UDP_ACTION, UDP_MAGIC, UDP_MAX_SCRAPE } from './udp-tracker';

export type UdpClientInput =
  | {
      readonly type: 'announce';
      /** The caller's name for the request; it comes back with the outcome. */
      readonly call: number;
      readonly facts: AnnounceFacts;
      /** BEP 41: path and query of the tracker's URL. */
      readonly urlData?: string;
    }
  | {
      readonly type: 'scrape';
      readonly call: number;
      /** 1–74 of 20 bytes each. */
      readonly infoHashes: readonly Uint8Array[];
    }
  | { readonly type: 'cancel'; readonly call: number }
  | { readonly type: 'datagram'; readonly bytes: Uint8Array }
  | { readonly type: 'tick' };

export type UdpClientOutput =
  | { readonly type: 'send'; readonly bytes: Uint8Array }
  | {
      readonly type: 'announced';
      readonly call: number;
      readonly answer: AnnounceAnswer;
    }
  | {
      readonly type: 'scraped';
      readonly call: number;
      readonly answer: ScrapeAnswer;
    }
  | {
      readonly type: 'failed';
      readonly call: number;
      /** The tracker's words, or that it stayed silent. */
      readonly reason: string;
      readonly timedOut: boolean;
    };

export interface UdpTrackerClientOptions {
  /** 32 random bits a call. */
  readonly random: () => number;
  /** Of the tracker's address: that of the peers in its answers. */
  readonly family: 4 | 16;
  /** How often a request is sent at most. 9 unless given (BEP 15: n = 0 … 8, two hours in all). */
  readonly attempts?: number;
}

interface Request {
  readonly call: number;
  readonly transaction: number;
  /** Complete but for the connection id in its first 8 bytes. */
  readonly bytes: Uint8Array;
  /** The info-hashes of a scrape. */
  readonly scraped?: readonly Uint8Array[];
  sent: number;
  /** When it is repeated; Infinity while it waits for a connection. */
  due: number;
  /** It went out on a connection id that was older than itself. */
  reused: boolean;
}

/** Milliseconds that a connection id is used. */
const CONNECTION_LIFE = 60_000;
const FIRST_WAIT = 15_000;
/** Requests waiting at once. */
const MAX_REQUESTS = 1000;

const EVENTS: Record<ClientEvent, number> = {
  completed: 1,
  started: 2,
  stopped: 3,
  paused: 4,
};

export class UdpTrackerClient {
  private readonly options: UdpTrackerClientOptions;
  private readonly attempts: number;
  private readonly requests = new Map<number, Request>();
  private connection: { readonly id: Uint8Array; until: number } | undefined;
  private connecting:
    { readonly transaction: number; sent: number; due: number } | undefined;

  constructor(options: UdpTrackerClientOptions) {
    this.options = options;
    this.attempts = options.attempts ?? 9;
  }

  /** Milliseconds of the caller's clock; Infinity when nothing is waited for. */
  get wakeAt(): number {
    let due = this.connecting?.due ?? Infinity;
    for (const request of this.requests.values())
      due = Math.min(due, request.due);
    return due;
  }

  handle(input: UdpClientInput, now: number): UdpClientOutput[] {
    switch (input.type) {
      case 'announce':
        return this.add(
          input.call,
          announceBytes(input.facts, input.urlData ?? ''),
          undefined,
          now,
        );
      case 'scrape':
        return this.add(
          input.call,
          scrapeBytes(input.infoHashes),
          input.infoHashes,
          now,
        );
      case 'cancel':
        for (const request of this.requests.values())
          if (request.call === input.call)
            this.requests.delete(request.transaction);
        if (this.requests.size === 0) this.connecting = undefined;
        return [];
      case 'datagram':
        return this.receive(input.bytes, now);
      case 'tick':
        return this.tick(now);
    }
  }

  private add(
    call: number,
    bytes: Uint8Array,
    scraped: readonly Uint8Array[] | undefined,
    now: number,
  ): UdpClientOutput[] {
    if (this.requests.size >= MAX_REQUESTS)
      return [failed(call, 'too many requests at once', false)];
    const transaction = this.newTransaction();
    putWord(bytes, 12, transaction);
    const request: Request = {
      call,
      transaction,
      bytes,
      ...(scraped && { scraped }),
      sent: 0,
      due: Infinity,
      reused: this.connected(now),
    };
    this.requests.set(transaction, request);
    return this.send(request, now);
  }

  /** Sends the request, or sees to a connection first. */
  private send(request: Request, now: number): UdpClientOutput[] {
    if (this.connected(now) && this.connection !== undefined) {
      request.bytes.set(this.connection.id);
      request.due = now + FIRST_WAIT * 2 ** request.sent++;
      return [{ type: 'send', bytes: request.bytes.slice() }];
    }
    request.due = Infinity;
    return this.connecting === undefined ? this.connect(0, now) : [];
  }

  private connect(sent: number, now: number): UdpClientOutput[] {
    const transaction = this.connecting?.transaction ?? this.newTransaction();
    this.connecting = {
      transaction,
      sent: sent + 1,
      due: now + FIRST_WAIT * 2 ** sent,
    };
    const bytes = new Uint8Array(16);
    putWord(bytes, 0, UDP_MAGIC.high);
    putWord(bytes, 4, UDP_MAGIC.low);
    putWord(bytes, 12, transaction);
    return [{ type: 'send', bytes }];
  }

  private connected(now: number): boolean {
    return this.connection !== undefined && now < this.connection.until;
  }

  private tick(now: number): UdpClientOutput[] {
    const outputs: UdpClientOutput[] = [];
    const { connecting } = this;
    if (connecting !== undefined && connecting.due <= now) {
      if (connecting.sent < this.attempts)
        outputs.push(...this.connect(connecting.sent, now));
      else
        outputs.push(...this.failWaiting('the tracker does not answer', true));
    }
    for (const request of [...this.requests.values()]) {
      if (request.due > now) continue;
      if (request.sent < this.attempts)
        outputs.push(...this.send(request, now));
      else
        outputs.push(this.fail(request, 'the tracker does not answer', true));
    }
    return outputs;
  }

  private receive(bytes: Uint8Array, now: number): UdpClientOutput[] {
    if (bytes.length < 8) return [];
    const action = word(bytes, 0);
    const transaction = word(bytes, 4);
    if (this.connecting?.transaction === transaction)
      return this.onConnect(action, bytes, now);
    const request = this.requests.get(transaction);
    if (request === undefined || request.sent === 0) return [];
    if (action === UDP_ACTION.error) return this.onError(request, bytes, now);
    if (action === UDP_ACTION.announce && !request.scraped)
      return this.onAnnounce(request, bytes);
    if (action === UDP_ACTION.scrape && request.scraped)
      return this.onScrape(request, request.scraped, bytes);
    return [];
  }

  private onConnect(
    action: number,
    bytes: Uint8Array,
    now: number,
  ): UdpClientOutput[] {
    if (action === UDP_ACTION.error)
      return this.failWaiting(errorText(bytes), false);
    if (action !== UDP_ACTION.connect || bytes.length < 16) return [];
    this.connecting = undefined;
    this.connection = {
      id: bytes.slice(8, 16),
      until: now + CONNECTION_LIFE,
    };
    return [...this.requests.values()]
      .filter((request) => request.due === Infinity)
      .flatMap((request) => this.send(request, now));
  }

  private onAnnounce(request: Request, bytes: Uint8Array): UdpClientOutput[] {
    if (bytes.length < 20) return [];
    this.requests.delete(request.transaction);
    const interval = word(bytes, 8);
    const answer: AnnounceAnswer = {
      peers: readCompactPeers(bytes, 20, this.options.family),
      ...(interval > 0 && { interval: Math.min(interval, 7 * 86_400) }),
      incomplete: word(bytes, 12),
      complete: word(bytes, 16),
    };
    return [{ type: 'announced', call: request.call, answer }];
  }

  private onScrape(
    request: Request,
    hashes: readonly Uint8Array[],
    bytes: Uint8Array,
  ): UdpClientOutput[] {
    this.requests.delete(request.transaction);
    const answer = new Map<string, ScrapeEntry>();
    hashes.forEach((hash, k) => {
      const at = 8 + 12 * k;
      if (at + 12 > bytes.length) return;
      answer.set(Buffer.from(hash).toString('hex'), {
        complete: word(bytes, at),
        downloaded: word(bytes, at + 4),
        incomplete: word(bytes, at + 8),
      });
    });
    return [{ type: 'scraped', call: request.call, answer }];
  }

  /** An error on an old connection id may mean that id: it is tried once more with a new one. */
  private onError(
    request: Request,
    bytes: Uint8Array,
    now: number,
  ): UdpClientOutput[] {
    if (!request.reused) return [this.fail(request, errorText(bytes), false)];
    request.reused = false;
    request.sent = 0;
    this.connection = undefined;
    return this.send(request, now);
  }

  private failWaiting(reason: string, timedOut: boolean): UdpClientOutput[] {
    this.connecting = undefined;
    return [...this.requests.values()]
      .filter((request) => request.due === Infinity)
      .map((request) => this.fail(request, reason, timedOut));
  }

  private fail(
    request: Request,
    reason: string,
    timedOut: boolean,
  ): UdpClientOutput {
    this.requests.delete(request.transaction);
    return failed(request.call, reason, timedOut);
  }

  private newTransaction(): number {
    let transaction = this.options.random() >>> 0;
    while (this.requests.has(transaction))
      transaction = (transaction + 1) >>> 0;
    return transaction;
  }
}

function failed(
  call: number,
  reason: string,
  timedOut: boolean,
): UdpClientOutput {
  return { type: 'failed', call, reason, timedOut };
}

function errorText(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(8, 8 + 500)).toString('utf8');
}

function announceBytes(facts: AnnounceFacts, urlData: string): Uint8Array {
  const options = urlOptions(urlData);
  const bytes = new Uint8Array(98 + options.length);
  putWord(bytes, 8, UDP_ACTION.announce);
  bytes.set(facts.infoHash.subarray(0, 20), 16);
  bytes.set(facts.peerId.subarray(0, 20), 36);
  putLong(bytes, 56, facts.downloaded);
  putLong(bytes, 64, facts.left);
  putLong(bytes, 72, facts.uploaded);
  putWord(bytes, 80, facts.event === undefined ? 0 : EVENTS[facts.event]);
  putWord(bytes, 88, facts.key);
  putWord(bytes, 92, facts.numwant ?? -1);
  bytes[96] = facts.port >> 8;
  bytes[97] = facts.port;
  bytes.set(options, 98);
  return bytes;
}

/** BEP 41: the URL's path and query in pieces of at most 255 bytes. */
function urlOptions(urlData: string): Uint8Array {
  const text = Buffer.from(urlData).subarray(0, 1000);
  const options: number[] = [];
  for (let at = 0; at < text.length; at += 255) {
    const piece = text.subarray(at, at + 255);
    options.push(2, piece.length, ...piece);
  }
  return Uint8Array.from(options);
}

function scrapeBytes(infoHashes: readonly Uint8Array[]): Uint8Array {
  const asked = infoHashes.slice(0, UDP_MAX_SCRAPE);
  const bytes = new Uint8Array(16 + 20 * asked.length);
  putWord(bytes, 8, UDP_ACTION.scrape);
  asked.forEach((hash, k) => bytes.set(hash.subarray(0, 20), 16 + 20 * k));
  return bytes;
}

function putWord(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}

function putLong(bytes: Uint8Array, at: number, value: number): void {
  putWord(bytes, at, Math.floor(value / 2 ** 32));
  putWord(bytes, at + 4, value);
}
