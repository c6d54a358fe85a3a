/** Why a uTP connection ended other than by both ends' wish. */
export class UtpError extends Error {
  override readonly name = 'UtpError';
  /** `reset`: the remote knows of no such connection (any more). `timed-out`: it does not answer. `closed`: our owner ended it. */
  readonly code: 'reset' | 'timed-out' | 'closed';

  constructor(code: 'reset' | 'timed-out' | 'closed') {
    super(`the uTP connection ended: ${code}`);
    this.code = code;
  }
}
