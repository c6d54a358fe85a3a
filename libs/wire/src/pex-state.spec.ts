import fc from 'fast-check';
import {
  decodePex,
  encodePex,
  MAX_PEX_READ,
  type PexPeer,
} from './pex-message';
import { PexState } from './pex-state';

function peer(n: number, length = 4): PexPeer {
  const address = new Uint8Array(length).fill(1);
  address[length - 1] = n;
  return { address, port: 1_000 + n, flags: n & 0x1f };
}

const peers = (from: number, to: number): PexPeer[] =>
  Array.from({ length: to - from }, (_, i) => peer(from + i));

describe('peer exchange messages', () => {
  it('are read as they were written', () => {
    const message = {
      added: [peer(1), peer(2), peer(3, 16)],
      dropped: [
        { ...peer(4), flags: 0 },
        { ...peer(5, 16), flags: 0 },
      ],
    };
    expect(decodePex(encodePex(message))).toEqual(message);
  });

  it('are bounded, and odd ones harmless', () => {
    const text = (s: string): Uint8Array => Buffer.from(s, 'latin1');
    const many = Buffer.alloc(60_000, 1);
    const flood = Buffer.concat([text('d5:added60000:'), many, text('e')]);
    expect(decodePex(flood)?.added).toHaveLength(MAX_PEX_READ);
    const empty = { added: [], dropped: [] };
    expect(decodePex(text('d5:addedi5e7:dropped5:abcdee'))).toEqual(empty);
    expect(decodePex(text('d5:added6:abcd\0\0e'))).toEqual(empty);
    expect(decodePex(text('d5:added7:abcdefge'))?.added).toHaveLength(1);
    expect(decodePex(text('le'))).toBeUndefined();
    expect(decodePex(text('l'.repeat(100_000)))).toBeUndefined();
    expect(decodePex(text('d5:added9223372036854775807:xe'))).toBeUndefined();
  });

  it('never throw on any bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decodePex(bytes);
      }),
    );
  });
});

describe('peer exchange state', () => {
  it('tells what changed, at most once a minute', () => {
    const state = new PexState();
    expect(state.next(peers(0, 3), 0)?.added).toHaveLength(3);
    expect(state.next(peers(0, 4), 59_999)).toBeUndefined();
    expect(state.dueAt).toBe(60_000);
    const second = state.next(peers(1, 4), 60_000);
    expect(second).toEqual({ added: [peer(3)], dropped: [peer(0)] });
    expect(state.next(peers(1, 4), 200_000)).toBeUndefined();
  });

  it('spreads many over several messages and never tells one twice', () => {
    const state = new PexState();
    const live = peers(0, 120);
    const told: PexPeer[] = [];
    for (let minute = 0; minute < 5; minute++) {
      const message = state.next(live, minute * 60_000);
      expect(message?.added.length ?? 0).toBeLessThanOrEqual(50);
      told.push(...(message?.added ?? []));
    }
    expect(told).toEqual(live);
    expect(state.next([], 600_000)?.dropped).toHaveLength(50);
  });

  it('leaves the remote with a right list, whoever comes and goes, and names nobody twice in one message', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.uniqueArray(fc.integer({ min: 0, max: 30 }), { maxLength: 31 }),
          { maxLength: 12 },
        ),
        (minutes) => {
          const state = new PexState();
          const list = new Set<number>();
          minutes.forEach((live, minute) => {
            const now = minute * 60_000;
            const message = state.next(
              live.map((n) => peer(n)),
              now,
            );
            const ports = (from: readonly PexPeer[] = []): number[] =>
              from.map(({ port }) => port - 1_000);
            const added = ports(message?.added);
            const dropped = ports(message?.dropped);
            const named = new Set([...added, ...dropped]);
            expect(named.size).toBe(added.length + dropped.length);
            for (const n of added) list.add(n);
            for (const n of dropped) list.delete(n);
            expect([...list].sort()).toEqual([...live].sort());
          });
        },
      ),
    );
  });

  it('bears a burst and not a flood', () => {
    const state = new PexState();
    expect(state.heard(0)).toBe('take');
    expect(state.heard(1)).toBe('ignore');
    expect(state.heard(60_000)).toBe('take');
    const answers = Array.from({ length: 20 }, () => state.heard(60_001));
    expect(answers[0]).toBe('ignore');
    expect(answers[19]).toBe('close');
  });
});
