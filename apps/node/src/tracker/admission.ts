/**
 * Which swarms the tracker serves, and whom: lists in files, read at the start and again when they
 * have changed. A list that can no longer be read stays as it was. Without lists everything is served.
 */
import type { Admission } from '@dnd/tracker';
import { Logger } from '@nestjs/common';
import { readFileSync, statSync } from 'node:fs';
import { ConfigError } from '../config/config';
import { HashIndex } from './hash-index';

export interface Lists {
  readonly allow?: string | undefined;
  readonly deny?: string | undefined;
  readonly passkeys?: string | undefined;
}

const mostLines = 2_000_000;
const mostBytes = 128 * 1024 * 1024;
const passkeyPattern = /^[\w.~-]{1,64}$/;
const hashPattern = /^[0-9a-fA-F]{40}$/;

/** One file: what it holds now. */
class List<T> {
  content: T;
  private version: string;

  /** Throws ConfigError. */
  constructor(
    private readonly flag: string,
    private readonly file: string,
    private readonly read: (lines: readonly string[]) => T,
  ) {
    this.version = this.look();
    this.content = this.load();
  }

  /** Takes in what is new. Throws ConfigError. */
  renew(): void {
    const version = this.look();
    if (version === this.version) return;
    this.content = this.load();
    this.version = version;
  }

  private look(): string {
    try {
      const { mtimeMs, size, ino } = statSync(this.file);
      return `${mtimeMs} ${size} ${ino}`;
    } catch (error) {
      throw this.fault((error as Error).message);
    }
  }

  private load(): T {
    let text: string;
    try {
      if (statSync(this.file).size > mostBytes)
        throw new RangeError('it has more than 128 MiB');
      text = readFileSync(this.file, 'utf8');
    } catch (error) {
      throw this.fault((error as Error).message);
    }
    const lines = text
      .split('\n')
      .map((line) => line.replace(/#.*/, '').trim());
    try {
      return this.read(lines);
    } catch (error) {
      throw this.fault((error as Error).message);
    }
  }

  private fault(why: string): ConfigError {
    return new ConfigError(`${this.flag} ${this.file}: ${why}`);
  }
}

export class Admissions {
  private readonly log = new Logger('Tracker');
  private readonly allow: List<HashIndex> | undefined;
  private readonly deny: List<HashIndex> | undefined;
  private readonly passkeys: List<ReadonlySet<string>> | undefined;

  /** `seed` has two random words. Throws ConfigError for a list that cannot be read, with its line. */
  constructor(lists: Lists, seed: Uint32Array) {
    const hashes = (lines: readonly string[]): HashIndex =>
      readHashes(lines, seed);
    const { allow, deny, passkeys } = lists;
    this.allow = allow ? new List('--tracker-allow', allow, hashes) : undefined;
    this.deny = deny ? new List('--tracker-deny', deny, hashes) : undefined;
    this.passkeys = passkeys
      ? new List('--tracker-passkeys', passkeys, readPasskeys)
      : undefined;
  }

  /** For the tracker's `admit`; undefined where there are no lists, so that nothing is asked. */
  get admit(): Admission | undefined {
    const { allow, deny, passkeys } = this;
    if (!allow && !deny && !passkeys) return undefined;
    return (infoHash, passkey) => {
      if (passkeys && !passkeys.content.has(passkey))
        return passkey === ''
          ? 'this tracker is private: announce with your passkey'
          : 'this passkey is not known here';
      if (deny && deny.content.find(infoHash) >= 0)
        return 'this torrent is not served here';
      if (allow && allow.content.find(infoHash) < 0)
        return 'this torrent is not on the list of this tracker';
      return undefined;
    };
  }

  /** Reads again what has changed. */
  renew(): void {
    for (const list of [this.allow, this.deny, this.passkeys]) {
      try {
        list?.renew();
      } catch (error) {
        this.log.warn(`${(error as Error).message}; the list stays as it was`);
      }
    }
  }
}

function readHashes(lines: readonly string[], seed: Uint32Array): HashIndex {
  const index = new HashIndex(seed, mostLines);
  lines.forEach((line, i) => {
    if (line === '') return;
    if (!hashPattern.test(line))
      throw new RangeError(`line ${i + 1} is no info-hash of 40 hex digits`);
    if (index.add(Buffer.from(line, 'hex')) < 0)
      throw new RangeError(`it has more than ${mostLines} info-hashes`);
  });
  return index;
}

function readPasskeys(lines: readonly string[]): ReadonlySet<string> {
  const passkeys = new Set<string>();
  lines.forEach((line, i) => {
    if (line === '') return;
    if (!passkeyPattern.test(line))
      throw new RangeError(
        `line ${i + 1} is no passkey: 1 to 64 letters, digits, ".", "_", "~" or "-"`,
      );
    passkeys.add(line);
  });
  return passkeys;
}
