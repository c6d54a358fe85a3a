/** How busy a tracker is, in the 20 bytes that its entry in the trackers' swarm has for a peer id: five numbers of 32 bits. */
export interface Load {
  readonly announcesPerSecond: number;
  readonly swarms: number;
  readonly peers: number;
  readonly seeds: number;
  /** Refused and malformed requests, per minute. */
  readonly errorsPerMinute: number;
}

const fields = [
  'announcesPerSecond',
  'swarms',
  'peers',
  'seeds',
  'errorsPerMinute',
] as const;

export function encodeLoad(load: Load): Uint8Array {
  const bytes = Buffer.alloc(4 * fields.length);
  fields.forEach((field, i) =>
    bytes.writeUInt32BE(Math.min(0xffffffff, Math.round(load[field])), 4 * i),
  );
  return bytes;
}

export function decodeLoad(bytes: Uint8Array): Load {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const [announcesPerSecond, swarms, peers, seeds, errorsPerMinute] =
    fields.map((_, i) => view.readUInt32BE(4 * i));
  return { announcesPerSecond, swarms, peers, seeds, errorsPerMinute };
}
