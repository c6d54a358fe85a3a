import type { Request, Response } from 'express';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gate } from './gate';
import { Sessions } from './session';

function ask(
  request: Partial<Request>,
  sessions: Sessions | null = null,
): number {
  let status = 0;
  const response = {
    headersSent: false,
    set: () => response,
    status: (code: number) => {
      status = code;
      return response;
    },
    type: () => response,
    send: () => response,
  };
  gate({ names: ['node.local'], sessions })(
    { method: 'GET', path: '/api/ring', ...request } as Request,
    response as unknown as Response,
    () => (status = 200),
  );
  return status;
}

it('answers to its own names only', () => {
  expect(ask({ headers: { host: '127.0.0.1:8080' } })).toBe(200);
  expect(ask({ headers: { host: 'localhost' } })).toBe(200);
  expect(ask({ headers: { host: 'NODE.local:8080' } })).toBe(200);
  expect(ask({ headers: { host: 'evil.example' } })).toBe(421);
  expect(ask({ headers: {} })).toBe(421);
});

it('takes changes from its own pages and from programs', () => {
  const headers = { host: 'localhost:8080' };
  const post = (origin?: string) =>
    ask({
      method: 'POST',
      headers: { ...headers, ...(origin ? { origin } : {}) },
    });
  expect(post()).toBe(200);
  expect(post('http://localhost:8080')).toBe(200);
  expect(post('http://evil.example')).toBe(403);
  expect(post('null')).toBe(403);
});

const from = { address: '127.0.0.1', agent: 'a browser' };

describe('with a sign-in', () => {
  const storage = mkdtempSync(join(tmpdir(), 'gate-'));
  const sessions = Sessions.open(storage, 'open sesame');
  afterAll(() => rmSync(storage, { recursive: true }));
  const headers = { host: 'localhost' };

  it('shows the page and asks for the password before the API', () => {
    expect(ask({ path: '/', headers }, sessions)).toBe(200);
    expect(ask({ path: '/health', headers }, sessions)).toBe(200);
    expect(ask({ path: '/api/session', headers }, sessions)).toBe(200);
    expect(ask({ headers }, sessions)).toBe(401);
    expect(ask({ path: '/metrics', headers }, sessions)).toBe(401);
  });

  it('knows a session, and the password by HTTP Basic', () => {
    expect(sessions.signIn('wrong', from, 0)).toBe(undefined);
    const id = sessions.signIn('open sesame', from, Date.now());
    expect(
      ask(
        { headers: { ...headers, cookie: `a=b; dnd_session=${id}` } },
        sessions,
      ),
    ).toBe(200);
    expect(
      ask({ headers: { ...headers, cookie: 'dnd_session=made-up' } }, sessions),
    ).toBe(401);
    const basic = (text: string) =>
      `Basic ${Buffer.from(text).toString('base64')}`;
    expect(
      ask(
        { headers: { ...headers, authorization: basic(':open sesame') } },
        sessions,
      ),
    ).toBe(200);
    expect(
      ask(
        { headers: { ...headers, authorization: basic(':wrong') } },
        sessions,
      ),
    ).toBe(401);
  });

  it('stops listening to whoever guesses', () => {
    const other = Sessions.open(storage, 'another');
    for (let i = 0; i < 20; i++)
      expect(other.signIn(`guess ${i}`, from, 1)).toBe(undefined);
    expect(other.signIn('another', from, 2)).toBe(undefined);
    expect(other.signIn('another', from, 61_000)).toEqual(expect.any(String));
  });
});
