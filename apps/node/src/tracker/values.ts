/** What the durable records say, as MessagePack maps of one letter keys; decoding checks every field and throws a RangeError. */
import { Packr } from 'msgpackr';
import { infoHashPattern } from '../peer/dto/download.dto';

const packr = new Packr({ useRecords: false, moreTypes: false });

export interface Entry {
  readonly infoHash: string;
  readonly name: string;
  readonly size: number;
  readonly files: number;
  readonly comment: string;
  readonly private: boolean;
  readonly publisherId: number;
  readonly publisherName: string;
  /** Milliseconds since 1970. */
  readonly publishedAt: number;
  /** File paths for the search, cut at 16 KiB. */
  readonly paths: string;
}

export interface Named {
  readonly infoHash: string;
  readonly publishedAt: number;
}

export interface Client {
  readonly id: number;
  /** SHA-256 of the client's token, hex: the id belongs to whoever shows the token. */
  readonly proof: string;
  readonly name: string;
  readonly host: string;
  readonly port: number;
}

export const maxPaths = 16 * 1024;

export function encodeEntry(entry: Entry): Uint8Array {
  return packr.pack({
    h: entry.infoHash,
    n: entry.name,
    s: entry.size,
    f: entry.files,
    c: entry.comment,
    v: entry.private,
    i: entry.publisherId,
    p: entry.publisherName,
    t: entry.publishedAt,
    l: entry.paths,
  });
}

export function decodeEntry(value: Uint8Array): Entry {
  const map = unpack(value);
  return {
    infoHash: hash(map['h']),
    name: text(map['n'], 1024),
    size: whole(map['s']),
    files: whole(map['f']),
    comment: text(map['c'], 16_384),
    private: map['v'] === true,
    publisherId: whole(map['i']),
    publisherName: text(map['p'], 256),
    publishedAt: whole(map['t']),
    paths: text(map['l'], maxPaths),
  };
}

export function encodeNamed(named: Named): Uint8Array {
  return packr.pack({ h: named.infoHash, t: named.publishedAt });
}

export function decodeNamed(value: Uint8Array): Named {
  const map = unpack(value);
  return { infoHash: hash(map['h']), publishedAt: whole(map['t']) };
}

export function encodeClient(client: Client): Uint8Array {
  return packr.pack({
    i: client.id,
    x: client.proof,
    n: client.name,
    a: client.host,
    p: client.port,
  });
}

export function decodeClient(value: Uint8Array): Client {
  const map = unpack(value);
  return {
    id: whole(map['i']),
    proof: text(map['x'], 64),
    name: text(map['n'], 256),
    host: text(map['a'], 256),
    port: whole(map['p']),
  };
}

function unpack(value: Uint8Array): Record<string, unknown> {
  const map: unknown = packr.unpack(value);
  if (typeof map !== 'object' || map === null)
    throw new RangeError('a record that is no map');
  return map as Record<string, unknown>;
}

function hash(value: unknown): string {
  if (typeof value !== 'string' || !infoHashPattern.test(value))
    throw new RangeError('a record without an info-hash');
  return value;
}

/** At most `limit` bytes. */
function text(value: unknown, limit: number): string {
  if (typeof value !== 'string' || Buffer.byteLength(value) > limit)
    throw new RangeError('a record with a wrong text');
  return value;
}

function whole(value: unknown): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0)
    throw new RangeError('a record with a wrong number');
  return value;
}
