/**
 * Whether a datagram is a message of the mainline DHT (BEP 5) that the library can be given: of
 * anybody's bytes it takes types and lengths for granted. Storing of arbitrary values (BEP 44) is
 * not offered.
 */
import {
  asBytes,
  asDictionary,
  asNumber,
  asText,
  decode,
  type BencodeDictionary,
  type BencodeValue,
} from '@dnd/bencode';

export type DhtMessageKind = 'query' | 'response' | 'error';

/** Longer ones are no answer to anything that is asked here, bytes. */
const longest = 4096;
const longestTransaction = 32;
const longestToken = 256;

/** Undefined for what is to be dropped. */
export function dhtMessageKind(
  datagram: Uint8Array,
): DhtMessageKind | undefined {
  if (datagram.length > longest) return undefined;
  let message: BencodeDictionary | undefined;
  try {
    const limits = { maxDepth: 5, maxValues: 600 };
    message = asDictionary(decode(datagram, limits));
  } catch {
    return undefined;
  }
  if (!message || !isBytes(message.get('t'), 1, longestTransaction))
    return undefined;
  switch (asText(message.get('y'))) {
    case 'q':
      return isQuery(message) ? 'query' : undefined;
    case 'r':
      return isResponse(asDictionary(message.get('r')))
        ? 'response'
        : undefined;
    case 'e':
      return Array.isArray(message.get('e')) ? 'error' : undefined;
    default:
      return undefined;
  }
}

function isQuery(message: BencodeDictionary): boolean {
  const values = asDictionary(message.get('a'));
  if (!values || !isId(values.get('id'))) return false;
  switch (asText(message.get('q'))) {
    case 'ping':
      return true;
    case 'find_node':
      return isId(values.get('target'));
    case 'get_peers':
      return isId(values.get('info_hash'));
    case 'announce_peer': {
      const port = asNumber(values.get('port')) ?? 0;
      return (
        isId(values.get('info_hash')) &&
        isBytes(values.get('token'), 1, longestToken) &&
        port >= 0 &&
        port <= 65_535
      );
    }
    default:
      return false;
  }
}

function isResponse(values: BencodeDictionary | undefined): boolean {
  if (!values || !isId(values.get('id'))) return false;
  const [nodes, peers, token] = ['nodes', 'values', 'token'].map((key) =>
    values.get(key),
  );
  return (
    (nodes === undefined || isBytes(nodes, 0, longest)) &&
    (token === undefined || isBytes(token, 0, longestToken)) &&
    (peers === undefined ||
      (Array.isArray(peers) && peers.every((peer) => asBytes(peer))))
  );
}

const isId = (value: BencodeValue | undefined): boolean =>
  isBytes(value, 20, 20);

function isBytes(
  value: BencodeValue | undefined,
  least: number,
  most: number,
): boolean {
  const bytes = asBytes(value);
  return bytes !== undefined && bytes.length >= least && bytes.length <= most;
}
