import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { workspaceRoot } from '@nx/devkit';
import { BencodeError } from './bencode-error';
import { decodePrefix, decode } from './decode';
import { keyBytes, type BencodeValue } from './value';

interface Case {
  readonly id: string;
  readonly hex: string | null;
  readonly must: 'accept' | 'reject' | 'either';
  readonly strict: 'accept' | 'reject' | 'either';
  readonly value?: unknown;
}

const file = join(workspaceRoot, '../shared/cases/bdecode.json');
const cases: Case[] = existsSync(file)
  ? JSON.parse(readFileSync(file, 'utf8')).cases
  : [];

/** Inputs too large for the table, by the name they have there. */
const built: Record<string, Buffer> = {
  'str-1MB': Buffer.concat([Buffer.from('1000000:'), Buffer.alloc(1_000_000)]),
  'depth-1M': Buffer.alloc(1_000_000, 'l'),
  'list-1000-ints': Buffer.from(`l${count(1000, (i) => `i${i}e`)}e`),
  'dict-1000': Buffer.from(
    `d${count(1000, (i) => `4:k${String(i).padStart(3, '0')}i${i}e`)}e`,
  ),
  'items-5119': Buffer.from(`l${count(5119, () => 'le')}e`),
};

function count(n: number, item: (i: number) => string): string {
  return Array.from({ length: n }, (_, i) => item(i)).join('');
}

function verdict(run: () => unknown): 'accept' | 'reject' {
  try {
    run();
    return 'accept';
  } catch (error) {
    if (!(error instanceof BencodeError)) throw error;
    return 'reject';
  }
}

/** The table's notation for a value. */
function noted(value: BencodeValue): unknown {
  if (typeof value === 'number' || typeof value === 'bigint') {
    return { t: 'int', v: String(value) };
  }
  if (value instanceof Uint8Array) {
    return { t: 'str', hex: Buffer.from(value).toString('hex') };
  }
  if (Array.isArray(value)) return { t: 'list', v: value.map(noted) };
  const keys = [...value.keys()];
  if (keys.some((key) => /[^ -~]/.test(key))) {
    const hex = keys.map((key) => Buffer.from(keyBytes(key)).toString('hex'));
    return { t: 'dict', keys_hex: hex, v: [...value.values()].map(noted) };
  }
  return {
    t: 'dict',
    v: Object.fromEntries([...value].map(([key, item]) => [key, noted(item)])),
  };
}

const present = cases.length > 0 ? describe : describe.skip;
present('the shared bencoding cases', () => {
  it.each(cases.map((c) => [c.id, c] as const))('%s', (id, c) => {
    const bytes = c.hex === null ? built[id] : Buffer.from(c.hex, 'hex');
    expect(bytes).toBeDefined();
    const lenient = verdict(() => decodePrefix(bytes));
    if (c.must !== 'either') expect(lenient).toBe(c.must);
    if (c.strict !== 'either') {
      expect(verdict(() => decode(bytes, { strict: true }))).toBe(c.strict);
    }
    if (c.value !== undefined && lenient === 'accept') {
      expect(noted(decodePrefix(bytes).value)).toEqual(c.value);
    }
  });
});

it('has a table to read, or none at all', () => {
  expect(existsSync(file) ? cases.length : 132).toBe(132);
});
