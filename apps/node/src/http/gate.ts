/**
 * Who may speak to the page's API at all, decided before any route: the Host header must name this
 * node (a foreign page cannot reach it by a name of its own), a change must come from the page itself,
 * and where a sign-in is needed there must be one.
 */
import { HttpException } from '@nestjs/common';
import type { NextFunction, Request, Response } from 'express';
import { hostname, networkInterfaces } from 'node:os';
import { sendProblem } from './problem';
import type { Sessions } from './session';

export const SESSIONS = Symbol('sessions');
export const sessionCookie = 'dnd_session';

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);
/** Reachable without a sign-in: the page itself is static and holds no secret. */
const open = /^\/(?:health$|api\/session$)|^\/(?!api(?:\/|$)|metrics(?:\/|$))/;

export interface GateOptions {
  /** Names by which the node may be called besides its own addresses. */
  readonly names: readonly string[];
  readonly sessions: Sessions | null;
}

export function gate(
  options: GateOptions,
): (request: Request, response: Response, next: NextFunction) => void {
  const names = new Set([
    'localhost',
    hostname().toLowerCase(),
    ...options.names.map((name) => name.toLowerCase()),
  ]);
  return (request, response, next) => {
    const host = (request.headers.host ?? '').toLowerCase();
    const name = host.replace(/:\d+$/, '').replace(/^\[|\]$/g, '');
    if (!names.has(name) && !isOwnAddress(name)) {
      return sendProblem(
        response,
        new HttpException(
          `this node does not serve the name "${name.slice(0, 100)}"; start it with --allow-host to add one`,
          421,
        ),
      );
    }
    const origin = request.headers.origin;
    if (
      !safeMethods.has(request.method) &&
      origin !== undefined &&
      origin.replace(/^https?:\/\//, '') !== host
    ) {
      return sendProblem(
        response,
        new HttpException(
          'changes are taken from the pages of this node only',
          403,
        ),
      );
    }
    if (!open.test(request.path) && !isSignedIn(options.sessions, request)) {
      response.set('WWW-Authenticate', 'Basic realm="D&D BitTorrent"');
      return sendProblem(
        response,
        new HttpException(
          'sign in first: POST /api/session, or HTTP Basic with the password',
          401,
        ),
      );
    }
    next();
  };
}

export function isSignedIn(
  sessions: Sessions | null,
  request: Request,
): boolean {
  if (!sessions) return true;
  const now = Date.now();
  if (sessions.valid(cookieOf(request), now)) return true;
  const basic = /^Basic ([A-Za-z0-9+/=]{1,2048})$/.exec(
    request.headers.authorization ?? '',
  );
  if (!basic) return false;
  const text = Buffer.from(basic[1], 'base64').toString();
  return sessions.check(text.slice(text.indexOf(':') + 1), now);
}

export function cookieOf(request: Request): string {
  return (
    new RegExp(`(?:^|;\\s*)${sessionCookie}=([\\w-]{1,64})`).exec(
      request.headers.cookie ?? '',
    )?.[1] ?? ''
  );
}

function isOwnAddress(name: string): boolean {
  if (/^127(?:\.\d{1,3}){3}$/.test(name) || name === '::1') return true;
  return Object.values(networkInterfaces()).some((list) =>
    list?.some(({ address }) => address.toLowerCase() === name),
  );
}
