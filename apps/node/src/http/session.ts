/**
 * Sign-in for nodes that others can reach: one owner, one password. The password is kept as a scrypt
 * hash in `.node/password`; at the first start one is made and printed once, unless one was given.
 * A session is a random cookie, of which `.node/sessions.json` keeps the SHA-256, so that a restart signs
 * nobody out; programs may send the password by HTTP Basic instead.
 */
import { Logger } from '@nestjs/common';
import {
  createHash,
  randomBytes,
  scryptSync,
  timingSafeEqual,
} from 'node:crypto';
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
  /** By the SHA-256 of their cookie. */
  private readonly sessions = new Map<string, Session>();
  /** What is to be closed when a session ends; under "" for those who send the password each time. */
  private readonly watchers = new Map<string, Set<() => void>>();
  private failures = 0;
  private failuresSince = 0;
  /** HTTP Basic sends the password with every request; its slow hash is computed once. */
  private lastGood: Buffer | undefined;

  private constructor(
    private readonly folder: string,
    private stored: Stored,
    /** False where the password was given at the start. */
    readonly canChange: boolean,
  ) {}

  static open(storage: string, given: string | undefined): Sessions {
    const folder = join(storage, '.node');
    const file = passwordFile(folder);
    const known = readStored(file);
    if (known && (given === undefined || isPassword(given, known))) {
      const sessions = new Sessions(folder, known, given === undefined);
      sessions.read();
      return sessions;
    }
    const password = given ?? randomBytes(9).toString('base64url');
    const sessions = new Sessions(
      folder,
      hashed(password),
      given === undefined,
    );
    mkdirSync(folder, { recursive: true });
    writeStored(file, sessions.stored);
    sessions.save();
    if (given === undefined)
      new Logger('SignIn').log(
        `the password of this node's page is ${password} (it is not shown again; delete ${file} for a new one)`,
      );
    return sessions;
  }

  /** A new session's cookie value, or undefined for a wrong password, or after too many of them. */
  signIn(password: string, from: SessionFrom, now: number): string | undefined {
    if (!this.check(password, now)) return undefined;
    const cookie = randomBytes(24).toString('base64url');
    for (const [old, { until }] of this.sessions)
      if (until < now || this.sessions.size >= maxSessions) this.drop(old);
    this.sessions.set(keyOf(cookie), {
      id: randomBytes(8).toString('hex'),
      createdAt: now,
      seenAt: now,
      until: now + sessionLife,
      address: from.address.slice(0, 64),
      agent: from.agent.slice(0, 300),
    });
    this.save();
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
    if (password.length <= 1024 && isPassword(password, this.stored)) {
      this.lastGood = bytes;
      return true;
    }
    this.failures++;
    return false;
  }

  valid(cookie: string, now: number): boolean {
    const session = this.sessions.get(keyOf(cookie));
    if (!session || session.until <= now) return false;
    session.seenAt = now;
    return true;
  }

  /** Those that have not run out, the one seen last first. */
  list(cookie: string, now: number): SessionInfo[] {
    const own = keyOf(cookie);
    return [...this.sessions]
      .filter(([, { until }]) => until > now)
      .map(([key, { id, createdAt, seenAt, address, agent }]) => ({
        ...{ id, createdAt, address, agent },
        // An open page hears events, without asking.
        seenAt: this.watchers.has(key) ? now : seenAt,
        current: key === own,
      }))
      .sort((a, b) => b.seenAt - a.seenAt);
  }

  signOut(cookie: string): void {
    this.drop(keyOf(cookie));
    this.save();
  }

  /** Ends the session with this id; false where there is none. */
  end(id: string): boolean {
    const found = [...this.sessions].find(([, session]) => session.id === id);
    if (!found) return false;
    this.drop(found[0]);
    this.save();
    return true;
  }

  /** Ends every session but this one. */
  endOthers(cookie: string): void {
    const own = keyOf(cookie);
    for (const other of [...this.sessions.keys()])
      if (other !== own) this.drop(other);
    this.save();
  }

  /** Takes another password and ends every session but this one. */
  change(password: string, cookie: string): void {
    this.stored = hashed(password);
    writeStored(passwordFile(this.folder), this.stored);
    this.lastGood = undefined;
    this.endOthers(cookie);
    this.close('');
  }

  /** Calls `close` when this session ends; returns how to stop that. */
  watch(cookie: string, close: () => void): () => void {
    const known = this.sessions.has(keyOf(cookie));
    const key = known ? keyOf(cookie) : '';
    const list = this.watchers.get(key) ?? new Set();
    this.watchers.set(key, list.add(close));
    return () => {
      list.delete(close);
      if (list.size === 0 && this.watchers.get(key) === list)
        this.watchers.delete(key);
    };
  }

  private drop(key: string): void {
    this.sessions.delete(key);
    this.close(key);
  }

  private close(key: string): void {
    const list = this.watchers.get(key);
    this.watchers.delete(key);
    for (const close of list ?? []) close();
  }

  private save(): void {
    const text = JSON.stringify([...this.sessions]);
    writeWhole(join(this.folder, 'sessions.json'), text);
  }

  /** A damaged file costs the sessions only: everybody signs in again. */
  private read(): void {
    try {
      const text = readFileSync(join(this.folder, 'sessions.json'), 'utf8');
      for (const [key, session] of JSON.parse(text) as [string, Session][])
        this.sessions.set(key, session);
    } catch {
      this.sessions.clear();
    }
  }
}

const keyOf = (cookie: string): string =>
  createHash('sha256').update(cookie).digest('base64url');
const passwordFile = (folder: string): string => join(folder, 'password');

interface Stored {
  readonly salt: Buffer;
  readonly hash: Buffer;
}

function hashed(password: string): Stored {
  const salt = randomBytes(16);
  return { salt, hash: scryptSync(password, salt, 32) };
}

const isPassword = (password: string, { salt, hash }: Stored): boolean =>
  timingSafeEqual(scryptSync(password, salt, 32), hash);

function writeStored(file: string, { salt, hash }: Stored): void {
  writeWhole(file, `${salt.toString('hex')}:${hash.toString('hex')}`);
}

function writeWhole(file: string, text: string): void {
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
