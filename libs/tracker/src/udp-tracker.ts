/**
 * The tracker over UDP (BEP 15, BEP 41) without a socket: a datagram in, a datagram or silence out.
 * A connection id is a keyed hash of the asker's address and the time, so nothing is stored for
 * whoever only connects; it is good for at least two and at most four minutes. Before an address
 * is proven in this way, no answer is longer than what was asked.
 */
import { parseAddress, type AddressLength } from './address';
import {
  AnnounceEvent,
  AnnounceRequest,
  type AnnounceEventCode,
} from './announce-request';
import type { AnnounceTable, SwarmCounts } from './announce-table';
import type { Admission, Known, TrackerCounters } from './http-tracker';
import { sipHash24 } from './sip-hash';
import { word } from './peer-store';

export interface UdpTrackerOptions {
  readonly table: AnnounceTable;
  /** Four random words that nobody else knows. */
  readonly secret: Uint32Array;
  /** Asked for each announce; the passkey comes from BEP 41's URL, `/PASSKEY/announce`. In a scrape, which has no URL, it is empty. */
  readonly admit?: Admission;
  /** Where it says no, the datagram is not answered: see `UdpTracker.waitsFor`. */
  readonly known?: Known;
}

/** The action field of BEP 15. */
export const UDP_ACTION = {
  connect: 0,
  announce: 1,
  scrape: 2,
  error: 3,
} as const;
/** The first eight bytes of a connect request. */
export const UDP_MAGIC = { high: 0x417, low: 0x27101980 } as const;
/** Info-hashes in one scrape. */
export const UDP_MAX_SCRAPE = 74;

/** Bytes of the longest answer, and some. */
export const UDP_MAX_ANSWER = 2048;

const SLOT = 120_000;
/** Of 18-byte entries only so many fit a datagram that every IPv6 path carries. */
const MAX_V6_PEERS = 67;

export class UdpTracker {
  readonly counters: TrackerCounters = {
    announces: 0,
    scrapes: 0,
    malformed: 0,
    refused: 0,
    junk: 0,
  };
  /** The answer: the first bytes that `receive` counts, until its next call. An owner who needs them longer puts another of UDP_MAX_ANSWER bytes in its place. */
  out = new Uint8Array(UDP_MAX_ANSWER);
  /** Swarms for whose sake the last datagram was not answered. Not empty: see to them and give the datagram in again, `forced`. */
  waitsFor: Uint8Array[] = [];
  private readonly known: Known | undefined;
  private readonly table: AnnounceTable;
  private readonly secret: Uint32Array;
  private readonly admit: Admission | undefined;
  private readonly request = new AnnounceRequest();
  private readonly proof = new Uint8Array(24);
  private readonly id = new Uint32Array(2);
  private readonly counts: SwarmCounts = {
    complete: 0,
    incomplete: 0,
    downloaded: 0,
    downloaders: 0,
  };

  constructor(options: UdpTrackerOptions) {
    this.table = options.table;
    this.secret = options.secret;
    this.admit = options.admit;
    this.known = options.known;
  }

  /** Takes a datagram from `address`; returns the length of the answer in `out`, or 0 for silence. */
  receive(
    datagram: Uint8Array,
    address: string,
    now: number,
    forced = false,
  ): number {
    const { request } = this;
    if (this.waitsFor.length > 0) this.waitsFor = [];
    const length = parseAddress(address, request.ip);
    if (length === 0 || datagram.length < 16) return this.junk();
    request.ipLength = length;
    const action = word(datagram, 8);
    if (action === UDP_ACTION.connect) return this.connect(datagram, now);
    if (!this.proven(datagram, now)) {
      this.counters.junk++;
      // Shorter than a real announce: nothing to gain by a forged address.
      return action === UDP_ACTION.announce && datagram.length >= 98
        ? this.fail(datagram, 'connection id not valid any more')
        : 0;
    }
    const known = forced ? undefined : this.known;
    if (action === UDP_ACTION.announce)
      return this.announce(datagram, now, known);
    if (action === UDP_ACTION.scrape) return this.scrape(datagram, now, known);
    this.counters.malformed++;
    return this.fail(datagram, 'unknown action');
  }

  private connect(datagram: Uint8Array, now: number): number {
    if (
      word(datagram, 0) !== UDP_MAGIC.high ||
      word(datagram, 4) !== UDP_MAGIC.low
    )
      return this.junk();
    this.hash(Math.floor(now / SLOT));
    this.head(datagram, UDP_ACTION.connect);
    this.put(8, this.id[0]);
    this.put(12, this.id[1]);
    return 16;
  }

  private announce(
    datagram: Uint8Array,
    now: number,
    known: Known | undefined,
  ): number {
    const { request, table, counters } = this;
    if (datagram.length < 98) {
      counters.malformed++;
      return this.fail(datagram, 'announce is shorter than 98 bytes');
    }
    for (let i = 0; i < 20; i++) request.infoHash[i] = datagram[16 + i];
    for (let i = 0; i < 20; i++) request.peerId[i] = datagram[36 + i];
    request.complete = word(datagram, 64) === 0 && word(datagram, 68) === 0;
    request.event = eventOf(word(datagram, 80));
    request.key = word(datagram, 88);
    request.hasKey = request.key !== 0;
    const most = request.ipLength === 4 ? 200 : MAX_V6_PEERS;
    const wanted = word(datagram, 92) | 0;
    request.numwant = wanted < 0 ? -1 : Math.min(wanted, most);
    request.port = (datagram[96] << 8) | datagram[97];
    const refused = this.admit?.(
      request.infoHash,
      passkeyOf(readUrlData(datagram, 98)),
    );
    if (refused !== undefined) {
      counters.refused++;
      return this.fail(datagram, refused);
    }
    if (known?.(request.infoHash) === false) {
      this.waitsFor = [request.infoHash.slice()];
      return 0;
    }
    counters.announces++;
    const result = table.announce(request, now);
    this.head(datagram, UDP_ACTION.announce);
    this.put(8, result.interval);
    this.put(12, result.incomplete);
    this.put(16, result.complete);
    return table.writePeers(request.ipLength, this.out, 20);
  }

  private scrape(
    datagram: Uint8Array,
    now: number,
    known: Known | undefined,
  ): number {
    const whole = Math.floor((datagram.length - 16) / 20);
    const asked = Math.min(whole, UDP_MAX_SCRAPE);
    if (asked === 0) {
      this.counters.malformed++;
      return this.fail(datagram, 'scrape without info-hash');
    }
    if (known !== undefined) {
      for (let k = 0; k < asked; k++) {
        const hash = datagram.slice(16 + 20 * k, 36 + 20 * k);
        if (!known(hash)) this.waitsFor.push(hash);
      }
      if (this.waitsFor.length > 0) return 0;
    }
    this.counters.scrapes++;
    this.head(datagram, UDP_ACTION.scrape);
    for (let k = 0; k < asked; k++) this.scrapeOne(datagram, k, now);
    return 8 + 12 * asked;
  }

  private scrapeOne(datagram: Uint8Array, k: number, now: number): void {
    const { counts } = this;
    const from = 16 + 20 * k;
    const refused = this.admit?.(datagram.subarray(from, from + 20), '');
    if (refused === undefined) this.table.scrape(datagram, from, now, counts);
    else counts.complete = counts.incomplete = counts.downloaded = 0;
    this.put(8 + 12 * k, counts.complete);
    this.put(12 + 12 * k, counts.downloaded);
    this.put(16 + 12 * k, counts.incomplete);
  }

  private proven(datagram: Uint8Array, now: number): boolean {
    const high = word(datagram, 0);
    const low = word(datagram, 4);
    const slot = Math.floor(now / SLOT);
    this.hash(slot);
    if (this.id[0] === high && this.id[1] === low) return true;
    this.hash(slot - 1);
    return this.id[0] === high && this.id[1] === low;
  }

  /** The connection id of the asker's address in that slot of time. */
  private hash(slot: number): void {
    const { proof, request } = this;
    const length: AddressLength = request.ipLength;
    for (let i = 0; i < length; i++) proof[i] = request.ip[i];
    for (let i = 0; i < 4; i++) proof[length + i] = slot >>> (8 * i);
    sipHash24(this.secret, proof, length + 4, this.id);
  }

  private head(datagram: Uint8Array, action: number): void {
    this.put(0, action);
    for (let i = 4; i < 8; i++) this.out[i] = datagram[8 + i];
  }

  private fail(datagram: Uint8Array, reason: string): number {
    this.head(datagram, UDP_ACTION.error);
    const length = Math.min(reason.length, 200);
    for (let i = 0; i < length; i++) this.out[8 + i] = reason.charCodeAt(i);
    return 8 + length;
  }

  private junk(): number {
    this.counters.junk++;
    return 0;
  }

  private put(at: number, value: number): void {
    const { out } = this;
    out[at] = value >>> 24;
    out[at + 1] = value >>> 16;
    out[at + 2] = value >>> 8;
    out[at + 3] = value;
  }
}

function eventOf(value: number): AnnounceEventCode {
  return value <= AnnounceEvent.paused
    ? (value as AnnounceEventCode)
    : AnnounceEvent.none;
}

/** BEP 41: the URL data that options from `at` on hold, joined; undefined where there is none or it is cut short. */
export function readUrlData(
  datagram: Uint8Array,
  at: number,
): string | undefined {
  let text: string | undefined;
  for (let i = at; i < datagram.length;) {
    const type = datagram[i++];
    if (type === 0) break;
    if (type === 1) continue;
    const length = datagram[i++];
    if (length === undefined || i + length > datagram.length) break;
    if (type === 2)
      text =
        (text ?? '') + String.fromCharCode(...datagram.subarray(i, i + length));
    i += length;
  }
  return text;
}

function passkeyOf(url: string | undefined): string {
  return /^\/([^/?]{1,64})\/announce(?:\?|$)/.exec(url ?? '')?.[1] ?? '';
}
