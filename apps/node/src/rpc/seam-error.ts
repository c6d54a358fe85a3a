/** What can go wrong behind a seam, as a code that callers act on and a sentence for people. */
export const seamErrorCodes = [
  'not-found',
  'bad-input',
  'too-large',
  'conflict',
  'forbidden',
  'disk-full',
  'unavailable',
  'internal',
] as const;
export type SeamErrorCode = (typeof seamErrorCodes)[number];

export class SeamError extends Error {
  override readonly name = 'SeamError';
  constructor(
    readonly code: SeamErrorCode,
    message: string,
  ) {
    super(message);
  }

  /** The same error after its way through a frame; anything else is `internal`. */
  static from(value: unknown): SeamError {
    if (value instanceof SeamError) return value;
    const { code, message } = (value ?? {}) as {
      code?: unknown;
      message?: unknown;
    };
    const known = seamErrorCodes.find((candidate) => candidate === code);
    return new SeamError(
      known ?? 'internal',
      typeof message === 'string'
        ? message
        : 'something failed inside the node',
    );
  }
}
