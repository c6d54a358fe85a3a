/**
 * Sign-in for nodes that others can reach: one owner, one password. The password is kept as a scrypt
 * hash in `.node/password`; at the first start one is made and printed once, unless one was given.
 * A session is a random cookie kept in memory; programs may send the password by HTTP Basic instead.
 */
import { Logger } from '@nestjs/common';
import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';

const day = 24 * 3_600_000;
const sessionLife = 30 * day;
const maxSessions = 1000;
/** Wrong passwords that are answered within a minute, from everybody together. */
const maxFailures = 20;

/** A browser that is signed in, as the owner sees it in a list. */
export interface SessionInfo {
  /** Names the session, does not open it. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  /** Milliseconds since 1970. */
  readonly seenAt: number;
  readonly address: string;
  /** What the browser calls itself. */
  readonly agent: string;
  /** The one that asks. */
  readonly current: boolean;
}

interface Session {
  readonly id: string;
  readonly createdAt: number;
  readonly address: string;
  readonly agent: string;
  readonly until: number;
  seenAt: number;
}

export interface SessionFrom {
  readonly address: string;
  readonly agent: string;
}

export class Sessions {
  /** By the value of their cookie. */
  private readonly sessions = new Map<string, Session>();
  /** What is to be closed when a session ends; under "" for those who send the password each time. */
  private readonly watchers = new Map<string, Set<() => void>>();
  private failures = 0;
  private failuresSince = 0;
  /** HTTP Basic sends the password with every request; its slow hash is computed once. */
  private lastGood: Buffer | undefined;

  private constructor(
    private readonly file: string,
    private stored: Stored,
    /** False where the password was given at the start. */
    readonly canChange: boolean,
  ) {}

  static open(storage: string, given: string | undefined): Sessions {
    const file = join(storage, '.node', 'password');
    const known = given === undefined ? readStored(file) : undefined;
    if (known) return new Sessions(file, known, true);
    const password = given ?? randomBytes(9).toString('base64url');
    const stored = hashed(password);
    mkdirSync(join(storage, '.node'), { recursive: true });
    writeStored(file, stored);
    if (given === undefined)
      new Logger('SignIn').log(
        `the password of this node's page is ${password} (it is not shown again; delete ${file} for a new one)`,
      );
    return new Sessions(file, stored, given === undefined);
  }

  /** A new session's cookie value, or undefined for a wrong password, or after too many of them. */
  signIn(password: string, from: SessionFrom, now: number): string | undefined {
    if (!this.check(password, now)) return undefined;
    const cookie = randomBytes(24).toString('base64url');
    for (const [old, { until }] of this.sessions)
      if (until < now || this.sessions.size >= maxSessions) this.signOut(old);
    this.sessions.set(cookie, {
      id: randomBytes(8).toString('hex'),
      createdAt: now,
      seenAt: now,
      until: now + sessionLife,
      address: from.address.slice(0, 64),
      agent: from.agent.slice(0, 300),
    });
    return cookie;
  }

  check(password: string, now: number): boolean {
    const bytes = Buffer.from(password);
    if (
      this.lastGood &&
      bytes.length === this.lastGood.length &&
      timingSafeEqual(bytes, this.lastGood)
    )
      return true;
    if (now - this.failuresSince > 60_000)
      [this.failures, this.failuresSince] = [0, now];
    if (this.failures >= maxFailures) return false;
    const { salt, hash } = this.stored;
    if (
      password.length <= 1024 &&
      timingSafeEqual(scryptSync(password, salt, 32), hash)
    ) {
      this.lastGood = bytes;
      return true;
    }
    this.failures++;
    return false;
  }

  valid(cookie: string, now: number): boolean {
    const session = this.sessions.get(cookie);
    if (!session || session.until <= now) return false;
    session.seenAt = now;
    return true;
  }

  /** Those that have not run out, the one seen last first. */
  list(cookie: string, now: number): SessionInfo[] {
    return [...this.sessions]
      .filter(([, { until }]) => until > now)
      .map(([key, { id, createdAt, seenAt, address, agent }]) => ({
        ...{ id, createdAt, seenAt, address, agent },
        current: key === cookie,
      }))
      .sort((a, b) => b.seenAt - a.seenAt);
  }

  signOut(cookie: string): void {
    this.sessions.delete(cookie);
    this.close(cookie);
  }

  /** Ends the session with this id; false where there is none. */
  end(id: string): boolean {
    const found = [...this.sessions].find(([, session]) => session.id === id);
    if (found) this.signOut(found[0]);
    return found !== undefined;
  }

  /** Ends every session but this one. */
  endOthers(cookie: string): void {
    for (const other of [...this.sessions.keys()])
      if (other !== cookie) this.signOut(other);
  }

  /** Takes another password and ends every session but this one. */
  change(password: string, cookie: string): void {
    this.stored = hashed(password);
    writeStored(this.file, this.stored);
    this.lastGood = undefined;
    this.endOthers(cookie);
    this.close('');
  }

  /** Calls `close` when this session ends; returns how to stop that. */
  watch(cookie: string, close: () => void): () => void {
    const key = this.sessions.has(cookie) ? cookie : '';
    const list = this.watchers.get(key) ?? new Set();
    this.watchers.set(key, list.add(close));
    return () => {
      list.delete(close);
      if (list.size === 0 && this.watchers.get(key) === list)
        this.watchers.delete(key);
    };
  }

  private close(cookie: string): void {
    const list = this.watchers.get(cookie);
    this.watchers.delete(cookie);
    for (const close of list ?? []) close();
  }
}

interface Stored {
  readonly salt: Buffer;
  readonly hash: Buffer;
}

function hashed(password: string): Stored {
  const salt = randomBytes(16);
  return { salt, hash: scryptSync(password, salt, 32) };
}

function writeStored(file: string, { salt, hash }: Stored): void {
  const text = `${salt.toString('hex')}:${hash.toString('hex')}`;
  writeFileSync(`${file}.new`, text, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

/** Undefined at the first start. */
function readStored(file: string): Stored | undefined {
  if (!existsSync(file)) return undefined;
  const text = readFileSync(file, 'utf8');
  const match = /^([0-9a-f]{32}):([0-9a-f]{64})\s*$/.exec(text);
  if (!match) return undefined;
  const [salt, hash] = match.slice(1).map((hex) => Buffer.from(hex, 'hex'));
  return { salt, hash };
}
