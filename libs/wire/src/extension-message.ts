/**
 * The extension protocol's handshake (BEP 10) and what several extensions put
 * into it: metadata_size (BEP 9), upload_only (BEP 21). Everything in it comes
 * from anybody: values of a wrong type or size are as if they were not there.
 */
import {
  asBytes,
  asDictionary,
  asNumber,
  asText,
  decodePrefix,
  encode,
  type BencodeDictionary,
} from '@dnd/bencode';

/** The extensions that this library speaks, by their names in `m`. */
export type ExtensionName =
  'ut_metadata' | 'ut_pex' | 'upload_only' | 'lt_donthave' | 'ut_holepunch';

/** The ids under which others send to us; 0 is the handshake. */
export const OUR_IDS: Readonly<Record<ExtensionName, number>> = {
  ut_pex: 1,
  ut_metadata: 2,
  upload_only: 3,
  ut_holepunch: 4,
  lt_donthave: 7,
};

/** The largest metadata (info dictionary) that is believed, in bytes. */
export const MAX_METADATA = 33_554_432;

/** Names read of one `m`. */
const MAX_NAMES = 128;
const MAX_CLIENT_NAME = 64;

export interface ExtensionHandshake {
  /** What `m` says, by name; 0 switches one off. Only the names it mentions. */
  readonly ids: ReadonlyMap<string, number>;
  /** `v`: client name and version, at most 64 characters without control characters. */
  readonly client?: string;
  /** `reqq`: requests that may be outstanding. */
  readonly requestQueue?: number;
  /** `metadata_size` in bytes, where it is believable. */
  readonly metadataSize?: number;
  /** `p`: TCP listen port. */
  readonly port?: number;
  /** `yourip`: 4 or 16 bytes, how the sender sees the receiver. */
  readonly yourIp?: Uint8Array;
  /** 4 bytes. */
  readonly ipv4?: Uint8Array;
  /** 16 bytes. */
  readonly ipv6?: Uint8Array;
  /** BEP 21: downloads nothing (more). */
  readonly uploadOnly?: boolean;
}

export function encodeExtensionHandshake(
  handshake: ExtensionHandshake,
): Uint8Array {
  return encode({
    m: handshake.ids,
    v: handshake.client,
    reqq: handshake.requestQueue,
    metadata_size: handshake.metadataSize,
    p: handshake.port,
    yourip: handshake.yourIp,
    ipv4: handshake.ipv4,
    ipv6: handshake.ipv6,
    upload_only: handshake.uploadOnly ? 1 : undefined,
  });
}

/** Undefined for what is no dictionary; bytes after it are ignored. */
export function decodeExtensionHandshake(
  bytes: Uint8Array,
): ExtensionHandshake | undefined {
  const dictionary = decodeLoose(bytes)?.dictionary;
  if (dictionary === undefined) return undefined;
  const uploadOnly = asNumber(dictionary.get('upload_only'));
  return {
    ids: readIds(asDictionary(dictionary.get('m'))),
    client: readClient(asText(dictionary.get('v'))),
    requestQueue: within(dictionary, 'reqq', 1, 1_000_000),
    metadataSize: within(dictionary, 'metadata_size', 1, MAX_METADATA),
    port: within(dictionary, 'p', 1, 65_535),
    yourIp:
      address(dictionary, 'yourip', 4) ?? address(dictionary, 'yourip', 16),
    ipv4: address(dictionary, 'ipv4', 4),
    ipv6: address(dictionary, 'ipv6', 16),
    uploadOnly: uploadOnly === undefined ? undefined : uploadOnly !== 0,
  };
}

/** A dictionary from the network and where it ends, or undefined: extension messages that are none are ignored. */
export function decodeLoose(
  bytes: Uint8Array,
): { dictionary: BencodeDictionary; end: number } | undefined {
  try {
    const { value, end } = decodePrefix(bytes, {
      maxDepth: 16,
      maxValues: 20_000,
    });
    const dictionary = asDictionary(value);
    return dictionary && { dictionary, end };
  } catch {
    return undefined;
  }
}

function readIds(m: BencodeDictionary | undefined): Map<string, number> {
  const ids = new Map<string, number>();
  for (const [name, value] of m ?? []) {
    if (ids.size === MAX_NAMES) break;
    const id = asNumber(value);
    if (id !== undefined && id >= 0 && id <= 255) ids.set(name, id);
  }
  return ids;
}

function readClient(text: string | undefined): string | undefined {
  const clean = text?.replace(/\p{C}/gu, '').slice(0, MAX_CLIENT_NAME).trim();
  return clean === '' ? undefined : clean;
}

function within(
  dictionary: BencodeDictionary,
  key: string,
  least: number,
  most: number,
): number | undefined {
  const value = asNumber(dictionary.get(key));
  if (value === undefined) return undefined;
  return value >= least && value <= most ? value : undefined;
}

function address(
  dictionary: BencodeDictionary,
  key: string,
  length: number,
): Uint8Array | undefined {
  const bytes = asBytes(dictionary.get(key));
  return bytes?.length === length ? bytes.slice() : undefined;
}
