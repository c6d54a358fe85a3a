import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Sessions } from './session';

const from = { address: '127.0.0.1', agent: 'a browser' };
const day = 24 * 3_600_000;

let storage: string;
let sessions: Sessions;
const signIn = (now: number, agent = 'a browser'): string =>
  sessions.signIn('open sesame', { ...from, agent }, now) ?? '';

beforeEach(() => {
  storage = mkdtempSync(join(tmpdir(), 'sessions-'));
  Sessions.open(storage, 'open sesame');
  // As after a restart without the flag: the password is the node's own.
  sessions = Sessions.open(storage, undefined);
});
afterEach(() => rmSync(storage, { recursive: true }));

it('lists who is signed in, without what opens the session', () => {
  const old = signIn(0, 'old');
  const phone = signIn(day, 'phone');
  sessions.valid(old, 2 * day);
  const list = sessions.list(phone, 2 * day);
  expect(list).toMatchObject([
    { agent: 'old', createdAt: 0, seenAt: 2 * day, current: false },
    { agent: 'phone', createdAt: day, seenAt: day, current: true },
  ]);
  expect(JSON.stringify(list)).not.toContain(old);
  sessions.watch(phone, () => undefined);
  expect(sessions.list(phone, 3 * day)[0]).toMatchObject({
    agent: 'phone',
    seenAt: 3 * day,
  });
  expect(sessions.list(phone, 30.5 * day)).toHaveLength(1);
});

it('ends one, the others, and tells what watches them', () => {
  const [mine, second, third] = [signIn(0), signIn(0), signIn(0)];
  const closed: string[] = [];
  sessions.watch(mine, () => closed.push('mine'));
  const stop = sessions.watch(second, () => closed.push('not any more'));
  sessions.watch(second, () => closed.push('second'));
  sessions.watch(third, () => closed.push('third'));
  stop();
  const { id } = sessions.list(second, 0).filter((one) => one.current)[0];
  expect(sessions.end(id)).toBe(true);
  expect(sessions.end(id)).toBe(false);
  expect(closed).toEqual(['second']);
  sessions.endOthers(mine);
  expect(closed).toEqual(['second', 'third']);
  expect(sessions.valid(second, 1)).toBe(false);
  expect(sessions.valid(mine, 1)).toBe(true);
});

it('another password ends every other session and outlives a restart', () => {
  const [mine, other] = [signIn(0), signIn(0)];
  const closed: string[] = [];
  sessions.watch('sends the password', () => closed.push('basic'));
  sessions.change('a better one', mine);
  expect(closed).toEqual(['basic']);
  expect(sessions.valid(mine, 1)).toBe(true);
  expect(sessions.valid(other, 1)).toBe(false);
  for (const each of [sessions, Sessions.open(storage, undefined)]) {
    expect(each.check('open sesame', 1)).toBe(false);
    expect(each.check('a better one', 1)).toBe(true);
    expect(each.canChange).toBe(true);
  }
});

it('a restart signs nobody out, unless the password is another', () => {
  const cookie = signIn(0);
  const again = Sessions.open(storage, undefined);
  expect(again.valid(cookie, 1)).toBe(true);
  expect(Sessions.open(storage, 'open sesame').valid(cookie, 1)).toBe(true);
  expect(Sessions.open(storage, 'another one').valid(cookie, 1)).toBe(false);
  writeFileSync(join(storage, '.node/sessions.json'), '[[');
  expect(Sessions.open(storage, undefined).valid(cookie, 1)).toBe(false);
  const text = readFileSync(join(storage, '.node/sessions.json'), 'utf8');
  expect(text).not.toContain(cookie);
});

it('a password given at the start is changed there only', () => {
  expect(Sessions.open(storage, 'given').canChange).toBe(false);
});
