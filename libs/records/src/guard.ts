/**
 * Is this, whatever the network brought, a message about records? Every field that the code
 * relies on is looked at, and every list and string is bounded; fields that nobody reads are
 * let through.
 */
import {
  CHUNK_BYTES,
  INLINE_BYTES,
  MAX_ENTRIES,
  MAX_GLANCES,
  STORE_CODES,
} from './message';
import type { RecordsMessage } from './message';
import { COPIED_PEER_BYTES } from './peer';
import { DURABLE_KINDS, MAX_ITEM_LENGTH, MAX_TORRENT_BYTES } from './record';
import { LEAF_DIGEST_BYTES, LEAVES } from './record-table';
import { isStamp } from './stamp';
import { areAnswers, arePuts, areStates } from './swarm-pack';
import { MAX_PEERS_KEPT } from './swarm-table';

type Fields = Readonly<Record<string, unknown>>;
type Check = (value: unknown) => boolean;

const RING_ID = /^[0-9a-f]{40}$/;
const DIGEST = /^[0-9a-f]{16}$/;
const VERSION = /^[0-9a-f]{16}\.[0-9a-f]{12}\.\d{1,16}\.\d{1,16}$/;
const MAX_ORIGINS = 0xffff;
const MAX_SWARMS = 20_000;

const isBoolean: Check = (v) => typeof v === 'boolean';
const isRingId: Check = (v) => typeof v === 'string' && RING_ID.test(v);
const isKind: Check = (v) => (DURABLE_KINDS as readonly unknown[]).includes(v);
const isItem: Check = (v) =>
  typeof v === 'string' && v.length <= MAX_ITEM_LENGTH;
const isDigest: Check = (v) => typeof v === 'string' && DIGEST.test(v);
const isValueDigest: Check = (v) => v === '' || isRingId(v);
const isVersion: Check = (v) => typeof v === 'string' && VERSION.test(v);

function count(most: number): Check {
  return (v) =>
    Number.isSafeInteger(v) && (v as number) >= 0 && (v as number) <= most;
}

function bytes(most: number, row = 1): Check {
  return (v) =>
    v instanceof Uint8Array && v.length <= most && v.length % row === 0;
}

function list(check: Check, most = MAX_ENTRIES): Check {
  return (v) => Array.isArray(v) && v.length <= most && v.every(check);
}

function optional(check: Check): Check {
  return (v) => v === undefined || v === null || check(v);
}

function fields(checks: Readonly<Record<string, Check>>): Check {
  const entries = Object.entries(checks);
  return (v) =>
    typeof v === 'object' &&
    v !== null &&
    entries.every(([name, check]) => check((v as Fields)[name]));
}

const key = { kind: isKind, place: isRingId, item: isItem };
const isKey = fields(key);
const meta = {
  ...key,
  stamp: isStamp,
  digest: isValueDigest,
  size: count(MAX_TORRENT_BYTES),
};
const isMeta = fields(meta);
const isRecord = fields({ ...meta, value: optional(bytes(INLINE_BYTES)) });
const range = { from: isRingId, to: isRingId };

const isPlaceAnswer = fields({
  place: isRingId,
  version: isVersion,
  unchanged: isBoolean,
  complete: isBoolean,
  items: list(isRecord),
  next: optional(isItem),
});

const isRevision = fields({
  epoch: count(2 ** 32 - 1),
  revision: count(Number.MAX_SAFE_INTEGER),
});
const isGlance: Check = (v) =>
  v instanceof Uint8Array && areStates(v, MAX_GLANCES);

const bodies: Readonly<Record<string, Check>> = {
  store: fields({ items: list(isRecord) }),
  stored: fields({
    codes: list((v) => (STORE_CODES as readonly unknown[]).includes(v)),
    latest: optional(isStamp),
  }),
  read: fields({ keys: list(isKey), values: isBoolean }),
  found: fields({ settled: isBoolean, records: list(optional(isRecord)) }),
  chunk: fields({
    key: isKey,
    digest: isRingId,
    offset: count(MAX_TORRENT_BYTES),
  }),
  piece: fields({ bytes: optional(bytes(CHUNK_BYTES)) }),
  list: fields({
    kind: isKind,
    places: list(
      fields({
        place: isRingId,
        version: optional(isVersion),
        after: optional(isItem),
      }),
    ),
  }),
  listed: fields({
    settled: isBoolean,
    lists: list(isPlaceAnswer),
    at: isRevision,
  }),
  revision: fields({ kind: isKind }),
  revised: fields({ settled: isBoolean, at: isRevision }),
  digest: fields({ ...range, digest: isDigest }),
  leaves: fields({
    leaves: optional(bytes(LEAVES * LEAF_DIGEST_BYTES, LEAF_DIGEST_BYTES)),
  }),
  versions: fields({
    ...range,
    leaves: list(count(LEAVES - 1)),
    after: optional(isKey),
  }),
  held: fields({ items: list(isMeta), more: isBoolean }),
  confirm: fields({
    places: list(fields({ kind: isKind, place: isRingId, digest: isDigest })),
  }),
  confirmed: fields({ differ: list(count(MAX_ENTRIES)) }),
  announce: fields({
    sequence: count(2 ** 48 - 1),
    swarms: (v) => v instanceof Uint8Array && arePuts(v, MAX_ENTRIES),
  }),
  announced: fields({
    settled: isBoolean,
    swarms: (v) => v instanceof Uint8Array && areAnswers(v, MAX_ENTRIES),
  }),
  glance: fields({ swarms: isGlance }),
  news: fields({ since: isRevision, most: count(MAX_GLANCES) }),
  glanced: fields({
    settled: isBoolean,
    whole: isBoolean,
    swarms: isGlance,
    at: isRevision,
  }),
  handover: fields(range),
  swarms: fields({
    origins: list(isRingId, MAX_ORIGINS),
    swarms: list(
      fields({
        swarm: isRingId,
        completed: count(Number.MAX_SAFE_INTEGER),
        peers: bytes(MAX_PEERS_KEPT * COPIED_PEER_BYTES, COPIED_PEER_BYTES),
      }),
      MAX_SWARMS,
    ),
    more: isBoolean,
  }),
  refused: fields({
    code: (v) => v === 'busy' || v === 'clock' || v === 'starting',
  }),
};

export function isRecordsMessage(value: unknown): value is RecordsMessage {
  if (typeof value !== 'object' || value === null) return false;
  const { type, clock, agreed, sent } = value as Fields;
  if (typeof type !== 'string' || !Object.hasOwn(bodies, type)) return false;
  if (!Number.isFinite(clock) || !Number.isFinite(sent)) return false;
  if (typeof agreed !== 'boolean') return false;
  return bodies[type]?.(value) ?? false;
}
