/** Message ids of BEP 3, 5, 6, 10 and 52, and the sizes that the protocol fixes. */
export const MessageId = {
  choke: 0,
  unchoke: 1,
  interested: 2,
  notInterested: 3,
  have: 4,
  bitfield: 5,
  request: 6,
  piece: 7,
  cancel: 8,
  port: 9,
  suggest: 13,
  haveAll: 14,
  haveNone: 15,
  reject: 16,
  allowedFast: 17,
  extended: 20,
  hashRequest: 21,
  hashes: 22,
  hashReject: 23,
} as const;

/** Bytes of one block: what everybody asks for at once, and no more (BEP 3). */
export const BLOCK_SIZE = 16_384;

/** A request over this many bytes is not a mistake but an attack: close. */
export const MAX_REQUEST = 131_072;

/** The longest message that is read at all, in bytes after its length prefix. */
export const MAX_MESSAGE = 1_048_576;

/** Length prefix, id, piece index and begin of a piece message, in bytes. */
export const PIECE_HEADER = 13;

/**
 * Bytes after the length prefix for the messages of fixed length, by id; 0 for
 * the ids whose length varies or that nobody has defined.
 */
export const FIXED_LENGTH: Uint8Array = fixedLengths();

function fixedLengths(): Uint8Array {
  const lengths = new Uint8Array(256);
  lengths[MessageId.choke] = 1;
  lengths[MessageId.unchoke] = 1;
  lengths[MessageId.interested] = 1;
  lengths[MessageId.notInterested] = 1;
  lengths[MessageId.have] = 5;
  lengths[MessageId.request] = 13;
  lengths[MessageId.cancel] = 13;
  lengths[MessageId.port] = 3;
  lengths[MessageId.suggest] = 5;
  lengths[MessageId.haveAll] = 1;
  lengths[MessageId.haveNone] = 1;
  lengths[MessageId.reject] = 13;
  lengths[MessageId.allowedFast] = 5;
  lengths[MessageId.hashRequest] = 49;
  lengths[MessageId.hashReject] = 49;
  return lengths;
}
