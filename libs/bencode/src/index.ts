export { BencodeError } from './bencode-error';
export type { BencodeErrorCode } from './bencode-error';
export { decode, decodeDictionary, decodePrefix } from './decode';
export type { Decoded, DecodedDictionary, DecodeOptions } from './decode';
export { encode, Encoded } from './encode';
export type { Encodable } from './encode';
export {
  asBytes,
  asDictionary,
  asList,
  asNumber,
  asText,
  keyBytes,
  keyOf,
} from './value';
export type { BencodeDictionary, BencodeInteger, BencodeValue } from './value';
