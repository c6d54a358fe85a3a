import { Logger } from '@nestjs/common';
import { mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '../config/config';
import { Admissions } from './admission';

Logger.overrideLogger(false);
const seed = Uint32Array.of(1, 2);
const a = Buffer.alloc(20, 0xaa);
const b = Buffer.alloc(20, 0xbb);
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'admission-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

it('asks nothing where there are no lists', () => {
  expect(new Admissions({}, seed).admit).toBe(undefined);
});

it('serves what is allowed and not denied, and who has a passkey', () => {
  const allow = file('allow', `# ours\n${a.toString('hex')}\n\n`);
  const admit = new Admissions({ allow }, seed).admit;
  expect(admit?.(a, '')).toBe(undefined);
  expect(admit?.(b, '')).toMatch(/not on the list/);

  const deny = file('deny', `${b.toString('hex').toUpperCase()} # complaint\n`);
  const passkeys = file('keys', 'alice-1\nbob\n');
  const both = new Admissions({ deny, passkeys }, seed).admit;
  expect(both?.(a, 'bob')).toBe(undefined);
  expect(both?.(b, 'bob')).toMatch(/not served/);
  expect(both?.(a, '')).toMatch(/private/);
  expect(both?.(a, 'bobby')).toMatch(/not known/);
});

it('reads a list again when it has changed, and keeps it when it is broken', () => {
  const deny = file('deny', `${a.toString('hex')}\n`);
  const admissions = new Admissions({ deny }, seed);
  const { admit } = admissions;
  file('deny', `${b.toString('hex')}\n`);
  utimesSync(deny, 1, 1);
  admissions.renew();
  expect(admit?.(a, '')).toBe(undefined);
  expect(admit?.(b, '')).toBeDefined();
  file('deny', 'nonsense');
  admissions.renew();
  rmSync(deny);
  admissions.renew();
  expect(admit?.(b, '')).toBeDefined();
});

it.each([
  ['allow', 'xyz', /--tracker-allow .*: line 1 is no info-hash/],
  ['deny', `\n${'a'.repeat(41)}`, /--tracker-deny .*: line 2/],
  ['passkeys', 'with blank', /--tracker-passkeys .*: line 1 is no passkey/],
])('says what is wrong with a list of %s', (name, text, message) => {
  const path = file(name, text);
  const make = (): Admissions => new Admissions({ [name]: path }, seed);
  expect(make).toThrow(ConfigError);
  expect(make).toThrow(message);
  expect(() => new Admissions({ [name]: `${path}-absent` }, seed)).toThrow(
    /absent: ENOENT/,
  );
});
