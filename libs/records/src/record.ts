/**
 * What a durable record is, and which of two versions of it stands. A record is one item at one
 * place of the ring: the place decides the owners, the item tells records at one place apart.
 */
import { createHash } from 'node:crypto';
import type { RingId } from '@dnd/chord';
import type { Stamp } from './stamp';

export const DURABLE_KINDS = [
  'torrent',
  'catalogue',
  'name',
  'client',
] as const;

/** Kinds that are on disk before they are acknowledged. */
export type DurableKind = (typeof DURABLE_KINDS)[number];

/** Copies of every record. */
export const REPLICAS = 3;
/** A .torrent has at most this many bytes. */
export const MAX_TORRENT_BYTES = 10 * 1024 * 1024;
/** A value of any other kind has at most this many bytes. */
export const MAX_VALUE_BYTES = 64 * 1024;
/** An item's name has at most this many characters. */
export const MAX_ITEM_LENGTH = 255;

export interface RecordKey {
  readonly kind: DurableKind;
  /** The ring key whose successors own the record. */
  readonly place: RingId;
  /** Which record at that place: an info-hash, a client id. At most 255 characters. */
  readonly item: string;
}

export interface Version {
  readonly stamp: Stamp;
  /** SHA-1 of the value as 40 hex digits; empty says that the record was deleted (a tombstone). */
  readonly digest: string;
}

/** All about a record but its value. */
export interface RecordMeta extends RecordKey, Version {
  /** Bytes of the value; 0 for a tombstone. */
  readonly size: number;
}

/** A record with its value; a tombstone has none, and a large value may travel by itself. */
export interface DataRecord extends RecordMeta {
  readonly value?: Uint8Array;
}

export function isTombstone(version: Version): boolean {
  return version.digest === '';
}

export function maxBytes(kind: DurableKind): number {
  return kind === 'torrent' ? MAX_TORRENT_BYTES : MAX_VALUE_BYTES;
}

export function digestOf(value: Uint8Array): string {
  return createHash('sha1').update(value).digest('hex');
}

/**
 * Negative, zero or positive as `a` stands before, beside or after `b`. The later stamp wins.
 * Stamps carry their writer and differ; should two versions share one, the deletion wins, then
 * the greater digest, so that all nodes agree whatever order they hear of them in.
 */
export function compareVersions(a: Version, b: Version): number {
  if (a.stamp !== b.stamp) return a.stamp < b.stamp ? -1 : 1;
  if (a.digest === b.digest) return 0;
  if (a.digest === '') return 1;
  if (b.digest === '') return -1;
  return a.digest < b.digest ? -1 : 1;
}

/** Must `a` replace `b`? */
export function supersedes(a: Version, b: Version | undefined): boolean {
  return b === undefined || compareVersions(a, b) > 0;
}

/** The one of two versions that stands: commutative, associative and idempotent. */
export function mergeVersions<V extends Version>(a: V, b: V): V {
  return compareVersions(a, b) >= 0 ? a : b;
}

/** One string for a key, to look it up by; the item comes last, for it may hold anything. */
export function keyOf(key: RecordKey): string {
  return placeKey(key.kind, key.place) + key.item;
}

/** One string for a kind at a place: one digit and 40 hex digits. */
export function placeKey(kind: DurableKind, place: RingId): string {
  return DURABLE_KINDS.indexOf(kind) + place;
}
