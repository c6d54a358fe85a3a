import fc from 'fast-check';
import { countingBytes } from '../testing/recorded-peer';
import { UtpLine, type LineOptions } from '../testing/utp-link';
import { UtpPacket, UtpType, writeHeader, writeTimes } from './packet';
import { ReceiveWindow } from './receive-window';

function datagram(
  type: number,
  connectionId: number,
  more: { seq?: number; ack?: number; payload?: Uint8Array } = {},
): Uint8Array {
  const bytes = new Uint8Array(20 + (more.payload?.length ?? 0));
  writeHeader(bytes, type, connectionId, more.seq ?? 1, more.ack ?? 0);
  writeTimes(bytes, 1, 0, 100_000);
  bytes.set(more.payload ?? [], 20);
  return bytes;
}

/** Sends `size` bytes from the dialling end, then both end; how long it took. */
function transfer(
  options: LineOptions,
  size: number,
): { milliseconds: number; line: UtpLine } {
  const line = new UtpLine(options);
  const bytes = countingBytes(options.seed)(size);
  const end = line.connect(bytes, true);
  const start = line.now;
  const done = line.run(
    120_000,
    () => end.closes.length > 0 && line.accepted[0]?.closes.length > 0,
  );
  expect(done).toBe(true);
  const [got] = line.accepted;
  expect(got.bytes.equals(bytes)).toBe(true);
  expect([end.closes, got.closes]).toEqual([[undefined], [undefined]]);
  expect([line.a.size, line.b.size]).toEqual([0, 0]);
  return { milliseconds: line.now - start, line };
}

describe('a uTP connection', () => {
  it.each<[string, Omit<LineOptions, 'seed'>, number]>([
    ['a clean line', {}, 1_000],
    ['5 % loss', { loss: 0.05 }, 10_000],
    ['30 % reordering', { reorder: 0.3 }, 10_000],
    ['10 % doubled', { duplicate: 0.1 }, 1_000],
    ['all of it', { loss: 0.05, reorder: 0.3, duplicate: 0.1 }, 15_000],
    ['30 % loss', { loss: 0.3, delay: 75 }, 110_000],
    ['large datagrams', { datagram: 16_384, delay: 0.1 }, 1_000],
  ])('brings all bytes in order over %s', (name, options, limit) => {
    for (const seed of [1, 2, 3]) {
      const size = name === '30 % loss' ? 60_000 : 300_000;
      const { milliseconds } = transfer({ seed, ...options }, size);
      expect(milliseconds).toBeLessThan(limit);
    }
  });

  it('carries both ways at once and tells each end of the other', () => {
    const line = new UtpLine({ seed: 4, loss: 0.02 });
    const there = countingBytes(1)(200_000);
    const back = countingBytes(2)(150_000);
    const end = line.connect(there, true);
    line.run(1_000, () => line.accepted.length > 0);
    const [other] = line.accepted;
    other.toWrite = back;
    other.endAfter = true;
    other.onWritable();
    line.run(60_000, () => end.closes.length + other.closes.length === 2);
    expect(other.bytes.equals(there)).toBe(true);
    expect(end.bytes.equals(back)).toBe(true);
    expect([end.ended, other.ended]).toEqual([true, true]);
  });

  it('uses a narrow line well and yields when the delay grows', () => {
    const bandwidth = 1_000;
    const line = new UtpLine({ seed: 5, bandwidth, queue: 4_000_000 });
    const end = line.connect(new Uint8Array(8_000_000));
    line.run(3_000);
    line.deepest = 0;
    const before = line.accepted[0].received;
    line.run(4_000);
    const rate = (line.accepted[0].received - before) / 4_000;
    expect(rate).toBeGreaterThan(0.9 * bandwidth);
    expect(line.deepest / bandwidth).toBeLessThan(130);
    expect(end.socket?.congestion.queueDelay).toBeLessThan(130_000);
  });

  it('halves its window on loss in a short queue and still fills the line', () => {
    const options = { seed: 6, bandwidth: 1_000, queue: 30_000 };
    const { milliseconds, line } = transfer(options, 1_500_000);
    expect(milliseconds).toBeLessThan(2_500);
    expect(line.sent.lost).toBeLessThan(line.sent.a / 10);
  });

  it('holds the remote back while the owner does not read', () => {
    const line = new UtpLine({ seed: 7 });
    const end = line.connect(new Uint8Array(3_000_000), true);
    line.run(200, () => line.accepted.length > 0);
    const [reader] = line.accepted;
    reader.socket?.pause();
    line.run(60_000);
    expect(reader.received).toBeLessThan(100_000);
    expect(line.sent.aBytes).toBeLessThan(1_600_000);
    expect(end.closes).toEqual([]);
    reader.socket?.resume(line.now);
    line.run(60_000, () => reader.ended);
    expect(reader.received).toBe(3_000_000);
  });

  it('keeps no more than a bounded part of what is written', () => {
    const line = new UtpLine({ seed: 8 });
    const end = line.connect(new Uint8Array(2_000_000));
    expect(end.socket?.waiting).toBe(0);
    line.run(100_000, () => end.connected);
    expect(end.socket?.writable).toBe(false);
    expect(end.socket?.waiting).toBeLessThan(300_000);
  });

  it('gives up on a remote that never answers', () => {
    const deaf = new UtpLine({ seed: 9, loss: 1 });
    const dialled = deaf.connect();
    deaf.run(60_000);
    expect(dialled.closes).toEqual(['the uTP connection ended: timed-out']);
    expect(deaf.a.size).toBe(0);
    expect(deaf.sent.a).toBeLessThanOrEqual(4);
  });

  it('dials by another id when no answer comes, and takes the answer to that', () => {
    const line = new UtpLine({ seed: 13 });
    line.cut = true;
    const end = line.connect(countingBytes(1)(1_000), true);
    const first = line.last.a;
    line.run(1_500);
    const second = line.last.a;
    const [one, two] = [first, second].map((bytes) => {
      const packet = new UtpPacket();
      expect(packet.read(bytes)).toBe(true);
      expect(packet.type).toBe(UtpType.syn);
      return packet.connectionId;
    });
    expect(two).not.toBe(one);
    line.cut = false;
    // Both come late: the other end answers both, and one connection comes of it.
    line.inject('a', first);
    line.inject('a', second);
    expect(line.run(5_000, () => line.accepted[0]?.ended)).toBe(true);
    line.run(20_000);
    expect(line.accepted).toHaveLength(1);
    expect(line.accepted[0].received).toBe(1_000);
    expect(end.closes).toEqual([undefined]);
    expect([line.a.size, line.b.size]).toEqual([0, 0]);
  });

  it('tells again what came while something is missing and nothing comes, ever less often, and gives up', () => {
    const line = new UtpLine({ seed: 14 });
    const end = line.connect(new Uint8Array(10));
    line.run(1_000, () => line.accepted[0]?.received === 10);
    line.run(1_000);
    const socket = line.accepted[0].socket;
    const newest = new UtpPacket();
    newest.read(line.last.a);
    const { receiveId = 0 } = socket ?? {};
    line.inject(
      'a',
      datagram(UtpType.data, receiveId, {
        seq: (newest.seq + 2) & 0xffff,
        ack: newest.ack,
        payload: new Uint8Array(5),
      }),
    );
    const told = (milliseconds: number): number => {
      const before = line.sent.b;
      line.run(milliseconds);
      return line.sent.b - before;
    };
    expect(told(4_000)).toBe(3);
    const states = new UtpPacket();
    states.read(line.last.b);
    expect([states.type, states.sackTo - states.sackFrom]).toEqual([
      UtpType.state,
      4,
    ]);
    expect(told(3_000)).toBe(0);
    expect(line.accepted[0].closes).toEqual([]);
    expect(told(60_000)).toBe(1);
    const over = 'the uTP connection ended: ';
    expect(line.accepted[0].closes).toEqual([`${over}timed-out`]);
    expect(end.closes).toEqual([`${over}reset`]);
  });

  it('gives up on a remote that falls silent', () => {
    const line = new UtpLine({ seed: 12 });
    const end = line.connect(new Uint8Array(400_000), true);
    line.run(10_000, () => line.accepted[0]?.received > 50_000);
    line.cut = true;
    const before = line.sent.a;
    line.run(200_000);
    expect(end.closes).toEqual(['the uTP connection ended: timed-out']);
    expect(line.sent.a - before).toBeLessThan(300);
    expect(line.a.size).toBe(0);
  });

  it('is reset by the other end', () => {
    const line = new UtpLine({ seed: 10 });
    const end = line.connect(new Uint8Array(10));
    line.run(1_000, () => line.accepted[0]?.received === 10);
    line.accepted[0].socket?.destroy(line.now);
    line.run(1_000);
    expect(end.closes).toEqual(['the uTP connection ended: reset']);
    expect([line.a.size, line.b.size]).toEqual([0, 0]);
  });

  it('is not reset by one who does not see its packets', () => {
    const line = new UtpLine({ seed: 11 });
    const end = line.connect(new Uint8Array(10));
    line.run(1_000, () => line.accepted[0]?.received === 10);
    const receiveId = end.socket?.receiveId ?? 0;
    for (let ack = 0; ack < 65_536; ack += 257) {
      line.inject('b', datagram(UtpType.reset, receiveId, { ack }));
    }
    expect(end.closes).toEqual([]);
  });
});

describe('the multiplexer', () => {
  it('never sends more than it got before the address is proven', () => {
    const line = new UtpLine({ seed: 20 });
    let bytesIn = 0;
    for (let i = 0; i < 100; i++) {
      const syn = datagram(UtpType.syn, i * 3, { seq: i });
      bytesIn += syn.length;
      line.inject('a', syn, `spoofed ${i}`);
    }
    line.run(60_000);
    expect(line.sent.bBytes).toBeLessThanOrEqual(bytesIn);
    expect(line.accepted).toEqual([]);
    expect(line.b.size).toBe(0);
  });

  it('lets a good one in through a flood of SYNs', () => {
    const line = new UtpLine({ seed: 21 });
    for (let i = 0; i < 5_000; i++) {
      line.inject('a', datagram(UtpType.syn, 2 * i, { seq: i }), `x${i}`);
      expect(line.b.size).toBeLessThanOrEqual(100);
    }
    const end = line.connect(countingBytes(1)(1_000), true);
    expect(line.run(60_000, () => line.accepted[0]?.ended)).toBe(true);
    expect(line.accepted).toHaveLength(1);
    expect(end.connected).toBe(true);
  });

  it('answers data of no connection with a reset, and not without end', () => {
    const line = new UtpLine({ seed: 22 });
    const payload = new Uint8Array(100);
    for (let i = 0; i < 500; i++) {
      line.inject('a', datagram(UtpType.data, i, { payload }), 'stranger');
    }
    expect(line.sent.b).toBeGreaterThan(0);
    expect(line.sent.b).toBeLessThanOrEqual(20);
    const before = line.sent.b;
    line.inject('a', datagram(UtpType.reset, 5), 'stranger');
    line.inject('a', datagram(UtpType.state, 5), 'stranger');
    expect(line.sent.b).toBe(before);
  });

  it('answers a SYN that comes twice twice, with one connection', () => {
    const line = new UtpLine({ seed: 23 });
    const syn = datagram(UtpType.syn, 40, { seq: 9 });
    line.inject('a', syn);
    line.inject('a', syn);
    expect(line.sent.b).toBe(2);
    expect(line.b.size).toBe(1);
  });

  it('takes no more connections than it is told to', () => {
    const line = new UtpLine({ seed: 24, maxConnections: 3 });
    for (let i = 0; i < 3; i++) line.connect();
    expect(line.a.connect('b', line.connect(), 0)).toBeUndefined();
    expect(line.a.size).toBe(3);
  });

  it('ignores extensions that it does not know', () => {
    const line = new UtpLine({ seed: 25 });
    const end = line.connect();
    line.run(1_000, () => end.connected);
    const socket = end.socket;
    line.a.tick(line.now);
    const known = datagram(UtpType.data, (socket?.receiveId ?? 0) + 1);
    const packet = new UtpPacket();
    const odd = Buffer.concat([known, Buffer.from([2, 3, 9, 9, 9])]);
    odd[1] = 77;
    odd.fill(0, 20);
    odd.set([1, 2, 5, 5, 0, 4, 0xff, 0, 0, 0].slice(0, 5), 20);
    expect(packet.read(Buffer.concat([odd, Buffer.from([1])]))).toBe(false);
    const chained = Buffer.concat([
      known,
      Buffer.from([1, 2, 5, 5, 0, 4, 1, 0, 0, 0, 0x68, 0x69]),
    ]);
    chained[1] = 77;
    expect(packet.read(chained)).toBe(true);
    expect([packet.sackFrom, packet.sackTo, packet.payloadFrom]).toEqual([
      26, 30, 30,
    ]);
  });

  it('brings what comes behind an extension that it does not know', () => {
    const line = new UtpLine({ seed: 27 });
    const end = line.connect(new Uint8Array([1]));
    line.run(1_000, () => line.accepted[0]?.received === 1);
    const { receiveId = 0 } = line.accepted[0].socket ?? {};
    const payload = Buffer.from([0, 3, 9, 9, 9, 0x68, 0x69]);
    // The SYN had the number before the one byte, which is the last that was sent.
    const state = new UtpPacket();
    state.read(line.last.a);
    const seq = (state.seq + 1) & 0xffff;
    const odd = datagram(UtpType.data, receiveId, {
      seq,
      ack: state.ack,
      payload,
    });
    odd[1] = 77;
    line.inject('a', odd);
    expect(line.accepted[0].bytes.subarray(1).toString()).toBe('hi');
    expect(end.closes).toEqual([]);
  });

  it('survives any datagrams, to a connection or not', () => {
    const line = new UtpLine({ seed: 26 });
    const end = line.connect(countingBytes(3)(50_000), true);
    line.run(100, () => line.accepted.length > 0);
    const id = end.socket?.receiveId ?? 0;
    fc.assert(
      fc.property(
        fc.constantFrom(0, 1, 2, 4),
        fc.integer({ min: 0, max: 1 }),
        fc.uint8Array({ minLength: 16, maxLength: 60 }),
        (type, offset, rest) => {
          const bytes = Buffer.concat([datagram(type, id + offset), rest]);
          bytes.set(rest.subarray(0, 16), 4);
          line.inject(offset === 0 ? 'b' : 'a', bytes);
          line.inject('a', rest, 'c');
        },
      ),
      { numRuns: 500 },
    );
    line.run(60_000);
    expect(line.b.size).toBeLessThanOrEqual(100);
  });
});

describe('the receive window', () => {
  it('puts any order in order, over the wrap of the numbers', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 65_400, max: 65_535 }),
        fc.shuffledSubarray(
          Array.from({ length: 300 }, (_, i) => i),
          { minLength: 300, maxLength: 300 },
        ),
        (start, order) => {
          const window = new ReceiveWindow(1_000_000);
          window.ack = start;
          const got: number[] = [];
          for (const i of order) {
            const seq = (start + 1 + i) & 0xffff;
            window.accept(seq, new Uint8Array([i & 255]), i === 299);
            window.accept(seq, new Uint8Array([99]), false);
            for (let each = window.take(); each; each = window.take()) {
              got.push(each[0]);
            }
          }
          expect(got).toEqual(order.map((_, i) => i & 255));
          expect(window.ended).toBe(true);
          expect(window.room).toBe(1_000_000);
          expect(window.hasGap).toBe(false);
        },
      ),
      { numRuns: 50 },
    );
  });

  it('says in its mask what came early', () => {
    const window = new ReceiveWindow(1_000);
    window.ack = 10;
    for (const seq of [12, 14, 44]) {
      window.accept(seq, new Uint8Array(1), false);
    }
    expect([...(window.mask() ?? [])]).toEqual([5, 0, 0, 0, 1, 0, 0, 0]);
  });

  it('holds no more than its limit', () => {
    const window = new ReceiveWindow(1_000);
    expect(window.accept(3, new Uint8Array(900), false)).toBe(true);
    expect(window.accept(2, new Uint8Array(200), false)).toBe(false);
    expect(window.accept(5_000, new Uint8Array(1), false)).toBe(false);
    expect(window.accept(1, new Uint8Array(200), false)).toBe(true);
  });
});
