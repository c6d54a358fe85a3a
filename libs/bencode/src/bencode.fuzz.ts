/** Hostile bytes for the decoder: lenient and strict, whole and as a prefix. */
import type { FuzzTarget } from '@dnd/sim';
import { BencodeError } from './bencode-error';
import { decode, decodeDictionary, decodePrefix } from './decode';
import { encode } from './encode';
import type { BencodeValue } from './value';

const samples = [
  'd8:announce3:abc4:infod6:lengthi12e4:name1:a12:piece lengthi16384eee',
  'd1:ad2:id20:abcdefghij0123456789e1:q4:ping1:t2:aa1:y1:qe',
  'lli1ei-2e0:l3:abceed1:bi0eee',
  `${'l'.repeat(90)}${'e'.repeat(90)}`,
].map((text) => Buffer.from(text, 'latin1'));

/** The value, or undefined where it was refused as it should be. */
function attempt(read: () => BencodeValue): BencodeValue | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof BencodeError) return undefined;
    throw error;
  }
}

export const targets: Record<string, () => FuzzTarget> = {
  bencode: () => ({
    samples,
    feed: (input) => {
      const strict = attempt(() => decode(input, { strict: true }));
      if (strict !== undefined && !Buffer.from(encode(strict)).equals(input))
        throw new Error('what is strict is not encoded as it was');
      const lenient = attempt(() => decode(input));
      if (strict !== undefined && lenient === undefined)
        throw new Error('strict takes what lenient refuses');
      attempt(() => decodePrefix(input, { maxDepth: 10, maxValues: 50 }).value);
      attempt(() => {
        const read = decodeDictionary(input);
        const span = read.raw('info');
        if (span) decode(span);
        return read.dictionary;
      });
      return lenient !== undefined;
    },
  }),
};
