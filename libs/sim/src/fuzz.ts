/**
 * Hostile bytes from a seed: good inputs with bytes changed, cut out, doubled, joined with others, and
 * with the numbers that break readers written into them. An input that misbehaves is named by its
 * seed and number, and fed again by them.
 */
import { Random } from './random';

export interface FuzzTarget {
  readonly samples: readonly Uint8Array[];
  /** True where the input was understood; throws where the reader misbehaves. */
  readonly feed: (input: Uint8Array, turn: number) => boolean;
}

export interface FuzzOptions {
  /** For each target. */
  readonly inputs: number;
  readonly seed: number;
  /** Milliseconds; with it an input that takes more than a second is a failure. */
  readonly clock?: () => number;
}

const HANG = 1_000;
const LONGEST = 70_000;

/** Feeds every target; returns how many inputs each has understood. */
export function fuzz(
  targets: Readonly<Record<string, () => FuzzTarget>>,
  { inputs, seed, clock }: FuzzOptions,
): Record<string, number> {
  const understood: Record<string, number> = {};
  for (const [name, target] of Object.entries(targets)) {
    const mutator = new Mutator(seed);
    const { samples, feed } = target();
    understood[name] = 0;
    for (let turn = 0; turn < inputs; turn++) {
      const input = mutator.next(samples);
      const since = clock?.() ?? 0;
      try {
        if (feed(input, turn)) understood[name]++;
        if (clock && clock() - since > HANG) throw new Error('it hangs');
      } catch (cause) {
        const hex = Buffer.from(input).toString('hex').slice(0, 2_000);
        const what = `${name}, seed ${seed}, input ${turn}: ${hex}`;
        throw new Error(what, { cause });
      }
    }
  }
  return understood;
}

/** Numbers at the edges of what readers take for granted. */
const EDGES = [
  0,
  1,
  0x7f,
  0x80,
  0xff,
  0x7fff,
  0xffff,
  2 ** 31 - 1,
  2 ** 31,
  2 ** 32 - 1,
];
const DECIMALS = [
  '-1',
  '0',
  '-0',
  '00',
  '2147483648',
  '4294967296',
  '9223372036854775807',
  '18446744073709551616',
];

class Mutator {
  private readonly random: Random;

  constructor(seed: number) {
    this.random = new Random(seed);
  }

  next(samples: readonly Uint8Array[]): Uint8Array {
    let bytes: Uint8Array = Uint8Array.from(this.random.pick(samples));
    for (let changes = this.random.int(4); changes >= 0; changes--)
      bytes = this.change(bytes, samples);
    return bytes.length > LONGEST ? bytes.subarray(0, LONGEST) : bytes;
  }

  private change(
    bytes: Uint8Array,
    samples: readonly Uint8Array[],
  ): Uint8Array {
    const { random } = this;
    const at = random.int(bytes.length + 1);
    const end = Math.min(bytes.length, at + 1 + random.int(24));
    const [before, part, after] = [
      bytes.subarray(0, at),
      bytes.subarray(at, end),
      bytes.subarray(end),
    ];
    switch (random.int(9)) {
      case 0:
        if (at < bytes.length) bytes[at] ^= 1 << random.int(8);
        return bytes;
      case 1:
        if (at < bytes.length) bytes[at] = random.int(256);
        return bytes;
      case 2:
        return Uint8Array.from(before);
      case 3:
        return joined(before, after);
      case 4:
        return joined(before, part, part, after);
      case 5:
        return joined(before, this.edge(), after);
      case 6:
        return joined(before, Buffer.from(random.pick(DECIMALS)), after);
      case 7:
        return joined(before, random.pick(samples), after);
      default:
        return this.digits(bytes);
    }
  }

  private edge(): Uint8Array {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(this.random.pick(EDGES));
    return this.random.chance(0.5) ? bytes : bytes.subarray(2);
  }

  /** Another number where one stands in the text. */
  private digits(bytes: Uint8Array): Uint8Array {
    const text = Buffer.from(bytes).toString('latin1');
    const found = [...text.matchAll(/\d+/g)];
    if (found.length === 0) return bytes;
    const { 0: number, index } = this.random.pick(found);
    const other = this.random.chance(0.5)
      ? String(Number(number) + this.random.range(-2, 2))
      : this.random.pick(DECIMALS);
    const changed =
      text.slice(0, index) + other + text.slice(index + number.length);
    return Buffer.from(changed, 'latin1');
  }
}

const joined = (...parts: Uint8Array[]): Uint8Array =>
  Uint8Array.from(Buffer.concat(parts));
