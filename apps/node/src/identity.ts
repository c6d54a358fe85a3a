/**
 * What makes a node the same node after a restart: its place on the ring, how often it has started,
 * and the client id that a tracker gave it. Kept in `.node/identity.json`, written whole or not at all.
 */
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

export interface Identity {
  /** 40 hex digits. */
  readonly ringId: string;
  readonly incarnation: number;
  readonly clientId?: number;
  /** 32 bytes in hex; who shows it is the client of that id. */
  readonly token: string;
}

export class IdentityFile {
  private identity: Identity;

  private constructor(
    private readonly file: string,
    identity: Identity,
  ) {
    this.identity = identity;
  }

  /** Reads the identity, or makes one; a damaged file is put aside and a new node begins. */
  static open(storage: string): IdentityFile {
    const folder = join(storage, '.node');
    mkdirSync(folder, { recursive: true });
    const file = join(folder, 'identity.json');
    let known: Identity | undefined;
    try {
      known = parse(readFileSync(file, 'utf8'));
      if (!known) renameSync(file, `${file}.damaged`);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    return new IdentityFile(
      file,
      known ?? {
        ringId: randomBytes(20).toString('hex'),
        incarnation: 0,
        token: randomBytes(32).toString('hex'),
      },
    );
  }

  get value(): Identity {
    return this.identity;
  }

  change(part: Partial<Identity>): Identity {
    this.identity = { ...this.identity, ...part };
    const next = `${this.file}.next`;
    const handle = openSync(next, 'w', 0o600);
    try {
      writeSync(handle, JSON.stringify(this.identity, null, 2) + '\n');
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(next, this.file);
    return this.identity;
  }
}

function parse(text: string): Identity | undefined {
  try {
    const { ringId, incarnation, clientId, token } = JSON.parse(
      text,
    ) as Partial<Identity>;
    if (typeof ringId !== 'string' || !/^[0-9a-f]{40}$/.test(ringId))
      return undefined;
    if (typeof token !== 'string' || !/^[0-9a-f]{64}$/.test(token))
      return undefined;
    if (
      !Number.isSafeInteger(incarnation) ||
      (clientId !== undefined && !Number.isSafeInteger(clientId))
    )
      return undefined;
    return {
      ringId,
      incarnation: incarnation as number,
      token,
      ...(clientId === undefined ? {} : { clientId }),
    };
  } catch {
    return undefined;
  }
}
