import fc from 'fast-check';
import { ANNOUNCED_PEER_BYTES, PEER_BYTES } from './peer';
import {
  areAnswers,
  arePuts,
  areStates,
  countAnswers,
  eachState,
  packAnswers,
  packPuts,
  packQuestions,
  pickStates,
  unpackAnswers,
  unpackPuts,
} from './swarm-pack';

const id = fc
  .uint8Array({ minLength: 20, maxLength: 20 })
  .map((bytes) => Buffer.from(bytes).toString('hex'));
const rows = (most: number, size: number) =>
  fc
    .nat({ max: most })
    .chain((count) =>
      fc.uint8Array({ minLength: count * size, maxLength: count * size }),
    );
const put = fc.record({
  swarm: id,
  want: fc.nat({ max: 200 }),
  seeds: fc.boolean(),
  completed: fc.nat({ max: 2_000 }),
  peers: rows(5, ANNOUNCED_PEER_BYTES),
});
const answer = fc.record({
  swarm: id,
  seeds: fc.nat({ max: 2_000 }),
  leechers: fc.nat({ max: 2_000 }),
  completed: fc.nat({ max: 0x7fffffff }),
  print: fc.nat({ max: 0xffffffff }),
  peers: rows(5, PEER_BYTES),
});
const plain = (list: readonly { readonly peers: Uint8Array }[]) =>
  list.map((each) => ({ ...each, peers: [...each.peers] }));

it('brings announces and answers across as they were', () => {
  fc.assert(
    fc.property(
      fc.array(put, { maxLength: 5 }),
      fc.array(answer, { maxLength: 5 }),
      (puts, answers) => {
        const packed = packPuts(puts);
        expect(arePuts(packed, puts.length)).toBe(true);
        expect(plain(unpackPuts(packed))).toEqual(plain(puts));
        const packedAnswers = packAnswers(answers);
        expect(areAnswers(packedAnswers, answers.length)).toBe(true);
        expect(plain(unpackAnswers(packedAnswers))).toEqual(plain(answers));
        expect(countAnswers(packedAnswers)).toBe(answers.length);
        if (puts.length > 0) {
          expect(arePuts(packed, puts.length - 1)).toBe(false);
          expect(arePuts(packed.subarray(0, -1), 9)).toBe(false);
        }
        if (answers.length > 0) {
          expect(areAnswers(packedAnswers, answers.length - 1)).toBe(false);
          expect(areAnswers(packedAnswers.subarray(0, -1), 9)).toBe(false);
        }
      },
    ),
  );
});

it('asks of many swarms, telling nothing', () => {
  const swarms = [1, 2].map((byte) => new Uint8Array(20).fill(byte));
  const none = { seeds: true, completed: 0, peers: new Uint8Array(0) };
  expect(plain(unpackPuts(packQuestions(swarms, 200)))).toEqual(
    plain(
      ['01', '02'].map((byte) => ({
        swarm: byte.repeat(20),
        want: 200,
        ...none,
      })),
    ),
  );
});

it('brings states across as they were, and takes no peers for states', () => {
  fc.assert(
    fc.property(fc.array(answer, { maxLength: 5 }), (answers) => {
      const bare = answers.map((each) => ({
        ...each,
        peers: new Uint8Array(0),
      }));
      const packed = packAnswers(bare);
      expect(areStates(packed, bare.length)).toBe(true);
      const read: unknown[] = [];
      eachState(packed, (swarm, seeds, leechers, completed, print) =>
        read.push({ swarm, seeds, leechers, completed, print }),
      );
      expect(read).toEqual(
        bare.map(({ swarm, seeds, leechers, completed, print }) => ({
          swarm,
          seeds,
          leechers,
          completed,
          print,
        })),
      );
      const odd = [...bare.keys()].filter((i) => i % 2);
      expect(plain(unpackAnswers(pickStates(packed, odd)))).toEqual(
        plain(odd.map((i) => bare[i])),
      );
      const some = answers.some(({ peers }) => peers.length > 0);
      expect(areStates(packAnswers(answers), 9)).toBe(!some);
      if (bare.length > 0) {
        expect(areStates(packed, bare.length - 1)).toBe(false);
        expect(areStates(packed.subarray(0, -1), 9)).toBe(false);
      }
    }),
  );
});

it('accepts nothing that it then cannot read, whatever the bytes', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      if (arePuts(bytes, 9))
        for (const { want, completed } of unpackPuts(bytes)) {
          expect(want).toBeLessThanOrEqual(200);
          expect(completed).toBeLessThanOrEqual(2_000);
        }
      if (areAnswers(bytes, 9))
        for (const { seeds, peers } of unpackAnswers(bytes)) {
          expect(seeds).toBeLessThanOrEqual(2_000);
          expect(peers.length % PEER_BYTES).toBe(0);
        }
    }),
    { numRuns: 2_000 },
  );
});

it('refuses numbers beyond their bounds', () => {
  const [one] = [
    packPuts([
      {
        swarm: 'a'.repeat(40),
        want: 999,
        seeds: true,
        completed: 9_999,
        peers: new Uint8Array(0),
      },
    ]),
  ];
  expect(unpackPuts(one)).toMatchObject([{ want: 200, completed: 2_000 }]);
  for (const [at, value] of [
    [20, 201],
    [22, 0xff],
    [25, 1],
  ]) {
    const bad = Uint8Array.from(one);
    bad[at] = value;
    expect(arePuts(bad, 9)).toBe(false);
  }
});
