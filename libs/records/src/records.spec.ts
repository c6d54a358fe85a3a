/** The records as their owner sees them: operations, failures, limits; on a quiet simulated ring. */
import type { NodeRef } from '@dnd/chord';
import { Random } from '@dnd/sim';
import fc from 'fast-check';
import { isRecordsMessage } from './guard';
import type { Heard, Operation, RecordsOutput } from './io';
import { digestOf } from './record';
import type { RecordKey } from './record';
import { Records } from './records';
import { keyFor } from './scenarios.contract';
import { EPOCH } from './simulated-node.contract';
import type { Result, SimulatedNode } from './simulated-node.contract';
import { SimulatedRing } from './simulated-ring.contract';
import { makeStamp } from './stamp';

type Asked = Parameters<SimulatedNode['start']>[0];

function ringOf(nodes: number, seed = 1): SimulatedRing {
  const ring = new SimulatedRing({ seed, nodes });
  ring.run(15_000);
  return ring;
}

/** The result and how long it took in virtual milliseconds. */
function ask(
  ring: SimulatedRing,
  node: SimulatedNode,
  operation: Asked,
): { result: Result; took: number } {
  const began = ring.time.now;
  let result: Result | undefined;
  node.start(operation, (r) => (result = r));
  while (!result && ring.time.now < began + 15_000) ring.time.step();
  if (!result) throw new Error('no answer');
  return { result, took: ring.time.now - began };
}

function pick(ring: SimulatedRing): SimulatedNode {
  return ring.random.pick(ring.live);
}

const bytes = (text: string): Uint8Array => Buffer.from(text);

function put(items: { key: RecordKey; value?: Uint8Array }[], strict = false) {
  const writes = items.map(({ key, value }) => ({ ...key, value }));
  return { type: 'put' as const, items: writes, strict };
}

describe('a node that leaves', () => {
  it('hands over what it holds, so that any number may leave one right after the other', () => {
    const ring = ringOf(9);
    const keys = Array.from({ length: 40 }, (_, i) => keyFor(`kept ${i}`));
    const items = keys.map((key) => ({ key, value: bytes(key.item) }));
    ask(ring, pick(ring), put(items, true));
    ring.run(30_000);
    while (ring.live.length > 2) {
      const leaver = pick(ring);
      expect(ask(ring, leaver, { type: 'handOver' }).result).toMatchObject({
        result: { type: 'handedOver' },
      });
      ring.crash(leaver);
      // Time to notice it, and none to repair anything.
      ring.run(300);
    }
    for (const node of ring.live)
      expect(new Set([...node.records.held()].map(({ item }) => item))).toEqual(
        new Set(keys.map(({ item }) => item)),
      );
  });

  it('says so where nobody is left', () => {
    const ring = ringOf(1);
    expect(ask(ring, pick(ring), { type: 'handOver' }).result).toMatchObject({
      result: { type: 'handedOver', whole: false },
    });
  });
});

describe('a write', () => {
  it.each([
    [1, 1],
    [2, 2],
    [3, 3],
    [6, 3],
  ])('in a ring of %i is safe on %i of 3', (nodes, copies) => {
    const ring = ringOf(nodes);
    const write = put([{ key: keyFor('a'), value: bytes('1') }]);
    expect(ask(ring, pick(ring), write).result).toMatchObject({
      result: { type: 'stored', copies, nodes: copies, wanted: 3 },
    });
  });

  it('is refused as a strict one where fewer than three nodes live', () => {
    const ring = ringOf(2);
    const write = put([{ key: keyFor('a'), value: bytes('1') }], true);
    expect(ask(ring, pick(ring), write).result).toMatchObject({
      type: 'failed',
      code: 'too-few-nodes',
    });
  });

  it('has all its records or says so', () => {
    const ring = ringOf(5);
    const items = Array.from({ length: 1_200 }, (_, i) => ({
      key: keyFor(`many ${i % 7}/${i}`),
      value: Buffer.alloc(700, i),
    }));
    items.forEach(({ value }) => (value[0] = 1));
    const { result } = ask(ring, pick(ring), put(items));
    expect(result).toMatchObject({ result: { copies: 3 } });
    expect(ring.ledger.misplaced()).toEqual([]);
  });

  it.each([
    ['too large', { key: keyFor('a'), value: new Uint8Array(65 * 1024) }],
    ['empty', { key: keyFor('a'), value: new Uint8Array(0) }],
    ['named too long', { key: keyFor('a'.repeat(256)), value: bytes('1') }],
    ['not valid', { key: keyFor('a'), value: Uint8Array.of(0xff) }],
  ])('is refused when it is %s', (_why, item) => {
    const ring = ringOf(3);
    expect(ask(ring, pick(ring), put([item])).result).toMatchObject({
      type: 'failed',
      code: 'invalid',
    });
  });

  it('comes after what another node wrote just before, whatever its clock says', () => {
    for (let seed = 1; seed <= 10; seed++) {
      const ring = new SimulatedRing({ seed, nodes: 5, clockError: 60_000 });
      ring.run(15_000);
      for (let i = 0; i < 12; i++) {
        const value = bytes(`${i}`);
        ask(ring, pick(ring), put([{ key: keyFor('a'), value }]));
        const read = ask(ring, pick(ring), { type: 'get', key: keyFor('a') });
        expect(read.result).toMatchObject({ result: { record: { value } } });
      }
    }
  });

  it('carries a .torrent of 10 MiB to three nodes and back', () => {
    const ring = ringOf(5);
    const value = new Random(3).bytes(10 * 1024 * 1024);
    value[0] = 1;
    const item = digestOf(value);
    const key: RecordKey = { kind: 'torrent', place: item, item };
    const written = ask(ring, pick(ring), put([{ key, value }], true));
    expect(written.result).toMatchObject({ result: { copies: 3 } });
    for (const node of ring.live) {
      const { result } = ask(ring, node, { type: 'get', key });
      if (result.type !== 'done' || result.result.type !== 'record')
        throw new Error('not read');
      expect(result.result.record?.digest).toBe(item);
      expect(result.result.record?.value?.length).toBe(value.length);
    }
  });
});

describe('a write whose third replica is silent', () => {
  it('is acknowledged by two, and the next successor takes its copy soon after', () => {
    const ring = ringOf(6);
    const key = keyFor('a');
    const [, , third] = ring.owners(key.place);
    const silent = ring.live.find(({ ref }) => ref.id === third?.id);
    const writer = ring.live.find((node) => node !== silent);
    if (!silent || !writer) throw new Error('no such node');
    silent.host.pause(9_000);
    const { result } = ask(ring, writer, put([{ key, value: bytes('1') }]));
    expect(result).toMatchObject({ result: { copies: 2, nodes: 3 } });
    ring.run(5_000);
    const holders = ring.live.filter(
      (node) => [...node.records.held()].length > 0,
    );
    expect(holders.filter((node) => node !== silent)).toHaveLength(3);
  });
});

describe('a deletion', () => {
  it('reaches all nodes and stays', () => {
    const ring = ringOf(5);
    const key = keyFor('a');
    ask(ring, pick(ring), put([{ key, value: bytes('1') }]));
    ask(ring, pick(ring), put([{ key }]));
    ring.run(30_000);
    for (const node of ring.live)
      expect(ask(ring, node, { type: 'get', key }).result).toMatchObject({
        type: 'done',
        result: { type: 'record', record: undefined },
      });
    expect(ring.ledger.misplaced()).toEqual([]);
  });

  it('stands against the disk of a node that was away for a year', () => {
    const ring = ringOf(5);
    const key = keyFor('a');
    ask(ring, pick(ring), put([{ key, value: bytes('1') }], true));
    const keeper = ring.live.find(({ records }) => [...records.held()].length);
    if (!keeper) throw new Error('nobody keeps it');
    ring.crash(keeper);
    ring.run(15_000);
    ask(ring, pick(ring), put([{ key }]));
    ring.run(30_000);
    const wallOffset = EPOCH + 365 * 24 * 3_600_000;
    for (const node of ring.live) node.tell({ type: 'clock', wallOffset });
    ring.run(120_000);
    ring.restart(keeper).tell({ type: 'clock', wallOffset });
    ring.run(60_000);
    for (const node of ring.live)
      expect(ask(ring, node, { type: 'get', key }).result).toMatchObject({
        result: { type: 'record', record: undefined },
      });
    expect(ring.ledger.misplaced()).toEqual([]);
  });
});

describe('after a hard kill of any node', () => {
  it('every other node writes and reads again within five seconds', () => {
    for (let seed = 1; seed <= 12; seed++) {
      const ring = new SimulatedRing({ seed, nodes: 4, faults: { refuse: 0 } });
      ring.run(15_000);
      const keys = Array.from({ length: 6 }, (_, i) => keyFor(`k${i}`));
      for (const key of keys)
        ask(ring, pick(ring), put([{ key, value: bytes(key.item) }]));
      ring.lose(pick(ring));
      for (const node of ring.live)
        for (const key of keys) {
          const read = ask(ring, node, { type: 'get', key });
          expect(read.result).toMatchObject({
            result: { record: { value: bytes(key.item) } },
          });
          expect(read.took).toBeLessThan(2_000);
          const write = put([{ key, value: bytes(key.item) }]);
          const written = ask(ring, node, write);
          expect(written.result.type).toBe('done');
          expect(written.took).toBeLessThan(5_000);
        }
    }
  });
});

describe('a whole place', () => {
  const place = digestOf(bytes('catalogue/7f'));
  const entry = (i: number): RecordKey => ({
    kind: 'catalogue',
    place,
    item: digestOf(bytes(`entry ${i}`)),
  });

  function lists(result: Result) {
    if (result.type !== 'done' || result.result.type !== 'lists')
      throw new Error('no lists');
    return result.result.lists;
  }

  it('is listed page by page, and later only what changed', () => {
    const ring = ringOf(5);
    const items = Array.from({ length: 1_500 }, (_, i) => ({
      key: entry(i),
      value: bytes(`a catalogue entry ${i} ${'x'.repeat(300)}`),
    }));
    ask(ring, pick(ring), put(items));
    const [all] = lists(
      ask(ring, pick(ring), { type: 'list', kind: 'catalogue', place }).result,
    );
    expect(all?.items.length).toBe(1_500);
    expect(all?.complete).toBe(true);

    const node = pick(ring);
    const poll = (version?: string) =>
      lists(
        ask(ring, node, {
          type: 'poll',
          kind: 'catalogue',
          places: [{ place, version }],
        }).result,
      );
    const [first] = poll();
    expect(first?.items.length).toBe(1_500);
    expect(poll(first?.version)).toEqual([]);
    ask(ring, pick(ring), put([{ key: entry(3), value: bytes('new') }]));
    const [changed] = poll(first?.version);
    expect(changed?.complete).toBe(false);
    expect(changed?.items.map((item) => item.item)).toEqual([entry(3).item]);
  });

  it('is polled together with 255 others in a message an owner', () => {
    const ring = ringOf(4);
    const places = Array.from({ length: 256 }, (_, i) => ({
      place: digestOf(bytes(`catalogue/${i}`)),
    }));
    const items = places.map(({ place: p }, i) => ({
      key: { kind: 'catalogue' as const, place: p, item: `${i}` },
      value: bytes('entry'),
    }));
    ask(ring, pick(ring), put(items));
    const node = pick(ring);
    const poll = { type: 'poll' as const, kind: 'catalogue' as const };
    const first = lists(ask(ring, node, { ...poll, places }).result);
    expect(first.length).toBe(256);
    expect(first.flatMap((list) => list.items).length).toBe(256);
    const before = ring.network.counters.sent;
    const again = first.map(({ place: p, version }) => ({ place: p, version }));
    expect(lists(ask(ring, node, { ...poll, places: again }).result)).toEqual(
      [],
    );
    expect(ring.network.counters.sent - before).toBeLessThan(30);
  });

  it('is the same until something of its kind is written, or somebody who was heard is gone', () => {
    const ring = ringOf(4);
    const places = Array.from({ length: 256 }, (_, i) => ({
      place: digestOf(bytes(`catalogue/${i}`)),
    }));
    const node = pick(ring);
    const catalogue = { kind: 'catalogue' as const };
    const heard = (): readonly Heard[] => {
      const { result } = ask(ring, node, {
        type: 'poll',
        ...catalogue,
        places,
      });
      if (result.type !== 'done' || result.result.type !== 'lists')
        throw new Error(result.type);
      return result.result.heard;
    };
    const isSame = (since: readonly Heard[]): boolean => {
      const { result } = ask(ring, node, {
        type: 'compare',
        ...catalogue,
        heard: since,
      });
      if (result.type !== 'done' || result.result.type !== 'compared')
        throw new Error(result.type);
      return result.result.same;
    };
    const start = heard();
    expect(start.length).toBe(4);
    expect(isSame(start)).toBe(true);
    ask(ring, pick(ring), put([{ key: keyFor('x'), value: bytes('x') }]));
    expect(isSame(start)).toBe(true);
    const place = digestOf(bytes('catalogue/7'));
    const key = { ...catalogue, place, item: 'entry' };
    ask(ring, pick(ring), put([{ key, value: bytes('entry') }]));
    expect(isSame(start)).toBe(false);
    const later = heard();
    expect(isSame(later)).toBe(true);
    ask(ring, pick(ring), put([{ key, value: undefined }]));
    expect(isSame(later)).toBe(false);
    const last = heard();
    ring.lose(ring.random.pick(ring.live.filter((other) => other !== node)));
    expect(isSame(last)).toBe(false);
  });
});

describe('health', () => {
  const healths = (ring: SimulatedRing) =>
    ring.live.map(({ records }) => records.health());

  it('says what lacks copies, and what is done about it', () => {
    const ring = ringOf(3);
    const items = Array.from({ length: 60 }, (_, i) => ({
      key: keyFor(`item ${i}`),
      value: bytes('value'),
    }));
    ask(ring, pick(ring), put(items));
    ring.run(30_000);
    for (const health of healths(ring))
      expect(health).toMatchObject({
        records: 60,
        underReplicated: 0,
        repairing: false,
        repair: { with: [] },
      });
    expect(healths(ring).reduce((sum, { owned }) => sum + owned, 0)).toBe(60);

    ring.lose(pick(ring));
    ring.run(5_000);
    const few = healths(ring).reduce((sum, h) => sum + h.underReplicated, 0);
    expect(few).toBe(60);

    const newcomer = ring.add();
    const busy = new Set<string>();
    for (let i = 0; i < 30_000; i += 1) {
      ring.run(1);
      for (const { repairing, repair } of healths(ring))
        if (repairing) for (const id of repair.with) busy.add(id);
    }
    expect(busy).toContain(newcomer.ref.id);
    const after = healths(ring);
    for (const health of after)
      expect(health).toMatchObject({
        records: 60,
        underReplicated: 0,
        repairing: false,
      });
    const moved = (of: 'sent' | 'fetched') =>
      after.reduce((sum, { repair }) => sum + repair[of], 0);
    expect(moved('sent') + moved('fetched')).toBeGreaterThanOrEqual(60);
  });
});

describe('one node', () => {
  const self = { id: '5'.repeat(40), host: '::1', port: 1, incarnation: 1 };
  const other = { id: '9'.repeat(40), host: '::1', port: 2, incarnation: 1 };

  function alone(options = {}): Records {
    const records = new Records({
      self,
      random: new Random(1).uniform,
      validate: () => true,
      ...options,
    });
    records.handle({ type: 'loaded', records: [], last: true }, 0);
    return records;
  }

  function record(item: string, time: number, value = bytes(item)) {
    const stamp = makeStamp(time, 0, other.id);
    const digest = digestOf(value);
    return { ...keyFor(item), stamp, digest, size: value.length, value };
  }

  function send(
    records: Records,
    message: object,
    now = 1_000,
    source: { from: NodeRef; address?: string } = { from: other },
  ): RecordsOutput[] {
    const sealed = { clock: now, agreed: true, sent: now, ...message } as never;
    return records.handle(
      { type: 'request', call: 1, message: sealed, ...source },
      now,
    );
  }

  it('does not call a write safe on one disk where neighbours live, however short the list of owners is', () => {
    const records = alone();
    const view = { successors: [other], predecessor: other };
    records.handle({ type: 'view', ...view, stableSince: 0 }, 0);
    const op = {
      ...put([{ key: keyFor('a'), value: bytes('1') }]),
      op: 1,
    };
    const said: RecordsOutput[] = [];
    let now = 1_000;
    const feed = (input: Parameters<Records['handle']>[0]): void => {
      for (const output of records.handle(input, now)) {
        said.push(output);
        const { type } = output;
        // The ring knows this node alone.
        if (type === 'lookup')
          feed({ type: 'owners', call: output.call, owners: [self] });
        if (type === 'persist')
          feed({ type: 'persisted', batch: output.batch, ok: true });
        if (type === 'request')
          feed({ type: 'unreachable', call: output.call });
      }
    };
    feed(op);
    for (; now < 9_000; now += 100) feed({ type: 'tick' });
    expect(said.filter(({ type }) => type === 'done')).toEqual([]);
    now = 30_000;
    feed({ type: 'tick' });
    expect(said.filter(({ type }) => type === 'failed')).toMatchObject([
      { op: 1, code: 'timeout', copies: 1 },
    ]);
  });

  it('answers a store only when its disk has answered', () => {
    const records = alone();
    const out = send(records, { type: 'store', items: [record('a', 900)] });
    expect(out.map(({ type }) => type)).toEqual(['persist']);
    const [answer] = records.handle(
      { type: 'persisted', batch: 1, ok: true },
      1_001,
    );
    expect(answer).toMatchObject({ type: 'reply', message: { codes: ['ok'] } });
  });

  it('says so when the disk fails, and does not claim the record', () => {
    const records = alone();
    send(records, { type: 'store', items: [record('a', 900)] });
    const [answer] = records.handle(
      { type: 'persisted', batch: 1, ok: false },
      1_001,
    );
    expect(answer).toMatchObject({ message: { codes: ['failed'] } });
    expect([...records.held()]).toEqual([]);
  });

  it.each([
    ['a stamp from the future', record('a', 40_000), 'clock'],
    [
      'a value that is not its digest',
      { ...record('a', 900), digest: 'a'.repeat(40) },
      'invalid',
    ],
    [
      'a size that is not its value',
      { ...record('a', 900), size: 7 },
      'invalid',
    ],
    [
      'a deletion with a size',
      { ...record('a', 900), digest: '', value: undefined },
      'invalid',
    ],
  ])('refuses %s', (_what, item, code) => {
    const [answer] = send(alone(), { type: 'store', items: [item] });
    expect(answer).toMatchObject({
      message: { type: 'stored', codes: [code] },
    });
  });

  it('refuses more than its share from one source', () => {
    const records = alone({ writesPerSecond: 1 });
    const items = Array.from({ length: 11 }, (_, i) => record(`${i}`, 900));
    expect(send(records, { type: 'store', items })[0]).toMatchObject({
      message: { type: 'refused', code: 'busy' },
    });
  });

  it('refuses more than four nodes may have written from one address, whatever it calls itself', () => {
    const records = alone({ writesPerSecond: 1 });
    let names = 0;
    const taken = (address: string): number =>
      Array.from({ length: 30 }, () => {
        // Our own name is only another one that it may give itself.
        const id = names++ === 0 ? self.id : digestOf(bytes(`id ${names}`));
        const items = Array.from({ length: 5 }, (_, i) =>
          record(`${names}/${i}`, 900),
        );
        const source = { from: { ...other, id }, address };
        return send(records, { type: 'store', items }, 1_000, source);
      }).filter((out) => !out.some(isRefusal)).length;
    const isRefusal = (output: RecordsOutput): boolean =>
      output.type === 'reply' && output.message.type === 'refused';
    // Ten seconds' worth of four nodes.
    expect([taken('a'), taken('a'), taken('b')]).toEqual([8, 0, 8]);
  });

  it('serves nothing before its disk is read', () => {
    const records = new Records({
      self,
      random: () => 0.5,
      validate: () => true,
    });
    const message = { type: 'read', keys: [keyFor('a')], values: true };
    expect(send(records, message)[0]).toMatchObject({
      message: { type: 'refused', code: 'starting' },
    });
  });

  it('forgets a value that its disk has lost', () => {
    const records = alone({ cacheBytes: 0 });
    send(records, { type: 'store', items: [record('a', 900)] });
    records.handle({ type: 'persisted', batch: 1, ok: true }, 1_001);
    const message = { type: 'read', keys: [keyFor('a')], values: true };
    expect(send(records, message)[0]).toMatchObject({ type: 'fetch' });
    const values = [bytes('rot')];
    const out = records.handle({ type: 'fetched', call: 1, values }, 1_002);
    expect(out.find(({ type }) => type === 'reply')).toMatchObject({
      message: { records: [null] },
    });
    expect(records.counters['lost']).toBe(1);
    expect([...records.held()]).toEqual([]);
  });

  it('forgets the oldest deletions when there are too many, and none for its age', () => {
    const records = alone({ maxTombstones: 2 });
    records.handle({ type: 'view', successors: [], stableSince: 0 }, 0);
    const stone = (item: string, time: number) => ({
      ...record(item, time),
      digest: '',
      size: 0,
      value: undefined,
    });
    const items = [stone('a', 900), stone('b', 1), stone('c', 950)];
    send(records, { type: 'store', items });
    records.handle({ type: 'persisted', batch: 1, ok: true }, 1_001);
    expect(records.health().tombstones).toBe(3);
    const removals: RecordsOutput[] = [];
    const year = 365 * 24 * 3_600_000;
    const runTo = (end: number): void => {
      while (records.wakeAt < end)
        removals.push(
          ...records
            .handle({ type: 'tick' }, records.wakeAt)
            .filter(({ type }) => type === 'persist'),
        );
    };
    runTo(200_000);
    records.handle({ type: 'clock', wallOffset: year }, 200_000);
    runTo(400_000);
    expect(records.health().tombstones).toBe(2);
    expect(removals).toMatchObject([{ removals: [keyFor('b')], upserts: [] }]);
  });

  it('survives whatever a member of the ring may send', () => {
    const records = alone();
    const hex = (n: number) =>
      fc
        .array(fc.constantFrom(...'0123456789abcdef'), {
          minLength: n,
          maxLength: n,
        })
        .map((a) => a.join(''));
    const leaf = fc.oneof(
      hex(40),
      hex(16),
      hex(56),
      fc.constant(''),
      fc.integer(),
      fc.nat(4_095),
      fc.boolean(),
      fc.constantFrom('name', 'torrent', undefined, null),
      fc.uint8Array({ maxLength: 100 }),
      fc.double(),
    );
    const types = [
      'store',
      'read',
      'chunk',
      'list',
      'digest',
      'versions',
      'confirm',
      'announce',
      'handover',
      'stored',
      'swarms',
      'x',
    ];
    const names = [
      'items',
      'keys',
      'values',
      'key',
      'digest',
      'offset',
      'kind',
      'places',
      'place',
      'from',
      'to',
      'leaves',
      'after',
      'sequence',
      'swarms',
      'swarm',
      'want',
      'seeds',
      'completed',
      'peers',
      'item',
      'stamp',
      'size',
      'value',
    ];
    const object = fc.dictionary(fc.constantFrom(...names), leaf, {
      maxKeys: 8,
    });
    const field = fc.oneof(leaf, object, fc.array(object, { maxLength: 3 }));
    const message = fc
      .tuple(
        fc.constantFrom(...types),
        fc.dictionary(fc.constantFrom(...names), field),
      )
      .map(([type, rest]) => ({ ...rest, type }));
    let now = 1_000;
    fc.assert(
      fc.property(message, (m) => {
        send(records, m, ++now);
        isRecordsMessage(m);
      }),
      { numRuns: 3_000 },
    );
    expect(records.health().records).toBe(0);
  });

  it('is asked too much: what waits for the disk is bounded', () => {
    const records = alone({ writesPerSecond: 1e9, bytesPerSecond: 1e12 });
    let busy = 0;
    for (let i = 0; i < 60; i++) {
      const items = Array.from({ length: 512 }, (_, j) =>
        record(`${i}/${j}`, 900),
      );
      send(records, { type: 'store', items });
    }
    const out = records.handle(
      { type: 'persisted', batch: 1, ok: true },
      1_002,
    );
    for (const output of out)
      if (output.type === 'reply' && output.message.type === 'stored')
        busy += output.message.codes.filter((code) => code === 'busy').length;
    // The first batch alone is safe; some of the rest had to be refused.
    expect([...records.held()].length).toBe(512);
    const last = records.handle(
      { type: 'persisted', batch: 2, ok: true },
      1_003,
    );
    for (const output of last)
      if (output.type === 'reply' && output.message.type === 'stored')
        busy += output.message.codes.filter((code) => code === 'busy').length;
    expect(busy).toBeGreaterThan(0);
  });
});

export type { Operation };
