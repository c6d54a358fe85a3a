/**
 * Sign-in for nodes that others can reach: one owner, one password. The password is kept as a scrypt
 * hash in `.node/password`; at the first start one is made and printed once, unless one was given.
 * A session is a random cookie kept in memory; programs may send the password by HTTP Basic instead.
 */
import { Logger } from '@nestjs/common';
import { randomBytes, scryptSync, timingSafeEqual } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const day = 24 * 3_600_000;
const sessionLife = 30 * day;
const maxSessions = 1000;
/** Wrong passwords that are answered within a minute, from everybody together. */
const maxFailures = 20;

export class Sessions {
  private readonly sessions = new Map<string, number>();
  private readonly salt: Buffer;
  private readonly hash: Buffer;
  private failures = 0;
  private failuresSince = 0;
  /** HTTP Basic sends the password with every request; its slow hash is computed once. */
  private lastGood: Buffer | undefined;

  private constructor(stored: string) {
    const [salt, hash] = stored
      .trim()
      .split(':')
      .map((part) => Buffer.from(part, 'hex'));
    this.salt = salt;
    this.hash = hash;
  }

  static open(storage: string, given: string | undefined): Sessions {
    const file = join(storage, '.node', 'password');
    let stored: string | undefined;
    if (given === undefined) {
      try {
        stored = readFileSync(file, 'utf8');
      } catch {
        // The first start: a password is made below.
      }
    }
    if (!stored || !/^[0-9a-f]{32}:[0-9a-f]{64}\s*$/.test(stored)) {
      const password = given ?? randomBytes(9).toString('base64url');
      const salt = randomBytes(16);
      stored = `${salt.toString('hex')}:${scryptSync(password, salt, 32).toString('hex')}`;
      mkdirSync(join(storage, '.node'), { recursive: true });
      writeFileSync(file, stored, { mode: 0o600 });
      if (given === undefined)
        new Logger('SignIn').log(
          `the password of this node's page is ${password} (it is not shown again; delete ${file} for a new one)`,
        );
    }
    return new Sessions(stored);
  }

  /** A new session's cookie value, or undefined for a wrong password. Throws when too many were wrong. */
  signIn(password: string, now: number): string | undefined {
    if (!this.check(password, now)) return undefined;
    const id = randomBytes(24).toString('base64url');
    for (const [old, until] of this.sessions)
      if (until < now || this.sessions.size >= maxSessions)
        this.sessions.delete(old);
    this.sessions.set(id, now + sessionLife);
    return id;
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
    if (
      password.length <= 1024 &&
      timingSafeEqual(scryptSync(password, this.salt, 32), this.hash)
    ) {
      this.lastGood = bytes;
      return true;
    }
    this.failures++;
    return false;
  }

  valid(id: string, now: number): boolean {
    return (this.sessions.get(id) ?? 0) > now;
  }

  signOut(id: string): void {
    this.sessions.delete(id);
  }
}
