/**
 * What a peer connection runs over: an ordered stream of bytes each way with a queue of its own.
 * TCP and uTP are two of them.
 */
export interface Transport {
  readonly kind: 'tcp' | 'utp';
  readonly host: string;
  readonly port: number;
  /** Bytes written that wait in this process. */
  readonly backlog: number;
  /** False: bytes given to `write` are kept by reference for longer than `sent` tells. */
  readonly lends: boolean;
  /** Takes all chunks, by reference; `sent` is called once when none of them is read any more, also when that is because of the end. */
  write(chunks: readonly Uint8Array[], sent?: () => void): void;
  /** Ends both ways at once; `closed` is told. */
  destroy(): void;
}

export interface TransportEvents {
  connected(): void;
  /** The chunk is valid during the call and may be changed. */
  received(chunk: Uint8Array): void;
  /** The queue has room again. */
  writable(): void;
  /** Told once; nothing follows. */
  closed(reason: string): void;
}
