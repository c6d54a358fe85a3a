/**
 * What was promised to the writers of a simulated ring, and whether it is kept. Each check
 * returns what is wrong, in words; an empty list is a pass.
 */
import { digestOf, isTombstone, keyOf, REPLICAS } from './record';
import type { DataRecord, RecordKey, RecordMeta } from './record';
import type { SimulatedNode } from './simulated-node.contract';
import { successorsOf } from './simulated-ring.contract';
import type { SimulatedRing } from './simulated-ring.contract';

/** What a write that was acknowledged promises. */
interface Written {
  readonly key: RecordKey;
  /** What may be read now: the last acknowledged value and those tried after it. */
  allowed: (string | undefined)[];
  acknowledged: boolean;
  /** Disks that held it when it was acknowledged. */
  copies: number;
}

export class Ledger {
  readonly counts = { acknowledged: 0, failed: 0 };
  private readonly written = new Map<string, Written>();
  private readonly writing = new Set<string>();

  constructor(private readonly ring: SimulatedRing) {}

  /** Was this key ever written? */
  knows(key: RecordKey): boolean {
    return this.written.has(keyOf(key));
  }

  /** Writes a fresh value at a key; writes to one key are made one after another. */
  put(member: SimulatedNode, key: RecordKey, value: string | undefined): void {
    const written = this.entry(key);
    written.allowed.push(value);
    const bytes = value === undefined ? undefined : Buffer.from(value);
    const text = keyOf(key);
    this.writing.add(text);
    member.start(
      { type: 'put', items: [{ ...key, value: bytes }] },
      (result) => {
        this.writing.delete(text);
        if (result.type === 'failed' || result.result.type !== 'stored') {
          this.counts.failed++;
          return;
        }
        this.counts.acknowledged++;
        const from = written.allowed.lastIndexOf(value);
        written.allowed = written.allowed.slice(from);
        written.acknowledged = true;
        written.copies = result.result.copies;
      },
    );
  }

  /** Is a write of this key under way? A writer that died never says. */
  isWriting(key: RecordKey): boolean {
    return this.writing.has(keyOf(key));
  }

  /** Reads a key at a node and waits for the answer in virtual time. */
  get(
    member: SimulatedNode,
    key: RecordKey,
  ): DataRecord | 'failed' | undefined {
    let answer: DataRecord | 'failed' | undefined | 'waiting' = 'waiting';
    member.start({ type: 'get', key }, (result) => {
      if (result.type === 'failed') answer = 'failed';
      else if (result.result.type === 'record') answer = result.result.record;
    });
    const end = this.ring.time.now + 20_000;
    while ((answer as unknown) === 'waiting' && this.ring.time.now < end)
      if (!this.ring.time.step()) break;
    return answer === 'waiting' ? 'failed' : answer;
  }

  /** Acknowledged records that a node cannot read, or reads wrongly; at some nodes or all. */
  unreadable(nodes = Infinity): string[] {
    const problems: string[] = [];
    for (const written of this.written.values()) {
      if (!written.acknowledged) continue;
      for (const member of this.ring.random
        .shuffle(this.ring.live)
        .slice(0, nodes)) {
        const record = this.get(member, written.key);
        const text =
          record === undefined || record === 'failed'
            ? record
            : Buffer.from(record.value ?? []).toString();
        if (text === 'failed' || !written.allowed.includes(text))
          problems.push(
            `${written.key.item} at ${member.ref.host}: ${text} instead of ${written.allowed}`,
          );
      }
    }
    return problems;
  }

  /** Acknowledged records that no living disk holds any more. */
  lost(): string[] {
    const problems: string[] = [];
    for (const { key, allowed, acknowledged } of this.written.values()) {
      if (!acknowledged) continue;
      const found = this.ring.live.some(({ host }) => {
        const record = host.disk.durable.get(keyOf(key));
        const text = record?.value && Buffer.from(record.value).toString();
        return record !== undefined && allowed.includes(text);
      });
      // A deletion may be forgotten once it is old, not the value that was written after it.
      if (!found) problems.push(`${key.item} = ${allowed} is on no disk`);
    }
    return problems;
  }

  /** At rest: the first three successors hold each record, the same version. */
  unequal(): string[] {
    return this.misplaced(Infinity);
  }

  /** At rest: the same, and nobody beyond the first `near` successors holds a copy. */
  misplaced(near = REPLICAS + 1): string[] {
    const versions = new Map<string, Map<string, string>>();
    const metas = new Map<string, RecordMeta>();
    for (const member of this.ring.live)
      for (const meta of member.records.held()) {
        const key = keyOf(meta);
        metas.set(key, meta);
        const holders = versions.get(key) ?? new Map<string, string>();
        holders.set(member.ref.id, meta.stamp + meta.digest);
        versions.set(key, holders);
      }
    const problems: string[] = [];
    const refs = this.ring.live.map(({ ref }) => ref);
    for (const [key, holders] of versions) {
      const meta = metas.get(key) as RecordMeta;
      const order = successorsOf(meta.place, refs).map(({ id }) => id);
      const owned = new Set(
        order.slice(0, REPLICAS).map((id) => holders.get(id)),
      );
      if (owned.size !== 1 || owned.has(undefined))
        problems.push(`${meta.item}: its owners differ`);
      for (const id of holders.keys())
        if (!order.slice(0, near).includes(id))
          problems.push(
            `${meta.item}: a copy outside its place, at ${id.slice(0, 4)}`,
          );
    }
    return problems;
  }

  /** What is on a disk is what the table says, and is valid. */
  broken(): string[] {
    const problems: string[] = [];
    for (const member of this.ring.live)
      for (const meta of member.records.held()) {
        const record = member.host.disk.contents.get(keyOf(meta));
        if (!record || record.stamp < meta.stamp)
          problems.push(`${meta.item}: not on the disk of its node`);
        else if (record.value && digestOf(record.value) !== record.digest)
          problems.push(`${meta.item}: spoiled`);
        else if (!record.value && !isTombstone(record))
          problems.push(`${meta.item}: without its value`);
      }
    return problems;
  }

  private entry(key: RecordKey): Written {
    const text = keyOf(key);
    let written = this.written.get(text);
    if (!written) {
      written = { key, allowed: [], acknowledged: false, copies: 0 };
      this.written.set(text, written);
    }
    return written;
  }
}
