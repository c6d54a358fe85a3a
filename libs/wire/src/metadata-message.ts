/** The messages of ut_metadata (BEP 9): the info dictionary in pieces of 16 KiB. */
import { asNumber, encode, type BencodeInteger } from '@dnd/bencode';
import { decodeLoose } from './extension-message';
import { BLOCK_SIZE } from './message-id';

/** Bytes of a metadata piece; the last one is shorter. */
export const METADATA_PIECE = BLOCK_SIZE;

export type MetadataMessage =
  | {
      readonly type: 'request';
      /** A bigint only for numbers that no metadata has, to be rejected with the very same number. */
      readonly piece: BencodeInteger;
    }
  | {
      readonly type: 'data';
      readonly piece: number;
      /** As the sender says, in bytes. */
      readonly totalSize: number | undefined;
      /** What follows the dictionary: a view, valid as long as the input. */
      readonly bytes: Uint8Array;
    }
  | { readonly type: 'reject'; readonly piece: number };

const TYPES = ['request', 'data', 'reject'] as const;

/** The dictionary alone; of a data message the bytes are sent after it. */
export function encodeMetadataMessage(
  type: MetadataMessage['type'],
  piece: BencodeInteger,
  totalSize?: number,
): Uint8Array {
  return encode({
    msg_type: TYPES.indexOf(type),
    piece,
    total_size: totalSize,
  });
}

/** Undefined for garbage and for types that nobody knows: both are ignored. The piece is any integer. */
export function decodeMetadataMessage(
  message: Uint8Array,
): MetadataMessage | undefined {
  const decoded = decodeLoose(message);
  if (decoded === undefined) return undefined;
  const { dictionary, end } = decoded;
  const type = TYPES[asNumber(dictionary.get('msg_type')) ?? -1];
  const piece = dictionary.get('piece');
  if (type === 'request' && typeof piece === 'bigint') return { type, piece };
  if (type === undefined || typeof piece !== 'number') return undefined;
  if (type !== 'data') return { type, piece };
  return {
    type,
    piece,
    totalSize: asNumber(dictionary.get('total_size')),
    bytes: message.subarray(end),
  };
}
