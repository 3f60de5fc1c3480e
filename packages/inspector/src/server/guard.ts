import type { IncomingHttpHeaders } from 'node:http';
import { isSame } from './token.ts';

/** Bytes of a body, and characters of a target, that are read at most. */
export const mostBody: number = 16 * 1024;
const mostTarget = 2048;

/** What is known of a request before anything is done for it. */
export interface Asked {
  readonly method: string;
  /** Path and query, as sent. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
}

/** Why a request is refused. */
export interface Refusal {
  readonly status: number;
  readonly text: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What a server lets in. */
export interface GuardRules {
  readonly port: number;
  readonly token: string;
  /** Events may be dispatched again. */
  readonly write: boolean;
}

/**
 * Who may see the page. Each check stands for an attack from a page that the same person has open elsewhere, or from
 * another account of the machine:
 *
 * - *Host*: a name of an attacker's that resolves to 127.0.0.1 (DNS rebinding) makes this server that page's own origin.
 *   The browser then says the attacker's name as Host: only ours are answered. An address of another interface can't
 *   come, since the server listens on loopback alone.
 * - *Origin*, *Sec-Fetch-Site*: a form or script of another site reaches us with the right Host. What comes from a page
 *   must come from ours; following a link to the first page is all that another may do.
 * - *method*: nothing but GET, unless dispatching again is allowed; that is a POST of JSON, which no form can send
 *   without asking first, and nobody is answered who asks (no CORS).
 * - *token*: other accounts reach loopback too. It is compared in constant time, comes once in the URL that is printed,
 *   and is exchanged for a cookie that scripts can't read and other sites don't send. Nothing of the page names it.
 * - *sizes*: what is longer than any request of ours is not read.
 *
 * In this order, so that a stranger learns the least.
 */
export function refusalOf(asked: Asked, rules: GuardRules): Refusal | null {
  const { method, target, headers } = asked;
  if (!isOurHost(headers.host, rules.port)) return refuse(403, 'This Host is none of the inspector.');
  if (!isOurOrigin(headers, rules.port)) return refuse(403, 'This Origin is none of the inspector.');
  if (isFromElsewhere(headers, method, target)) return refuse(403, 'Other sites may not ask the inspector.');
  if (method !== 'GET' && !(method === 'POST' && rules.write)) {
    const allowed = rules.write ? 'GET, POST' : 'GET';
    return { ...refuse(405, `The inspector answers ${allowed} only.`), headers: { allow: allowed } };
  }
  if (target.length > mostTarget) return refuse(414, 'This is longer than any address of the inspector.');
  if (Number(headers['content-length'] ?? 0) > mostBody) return refuse(413, 'This is longer than what may be sent.');
  if (method === 'GET' && hasBody(headers)) return refuse(400, 'A GET has no body.');
  if (!hasToken(asked, rules)) return refuse(401, 'Open the address that the program has printed, with its token.');
  if (method === 'POST' && !/^application\/json\b/i.test(headers['content-type'] ?? '')) {
    return refuse(415, 'Expected JSON.');
  }
  return null;
}

/** Name of the cookie: cookies of one host are shared by all its ports. */
export function cookieName(port: number): string {
  return `threadbus_inspector_${port}`;
}

/** What stands in `Authorization: Bearer …`; empty if nothing does. */
export function bearerOf(headers: IncomingHttpHeaders): string {
  return /^bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1] ?? '';
}

/** What stands behind `?token=`; null if that isn't there. */
export function queryToken(target: string): string | null {
  return new URLSearchParams(target.split('?', 2)[1] ?? '').get('token');
}

export function pathOf(target: string): string {
  return target.split('?', 1)[0] ?? target;
}

function refuse(status: number, text: string): Refusal {
  return { status, text };
}

function isOurHost(host: string | undefined, port: number): boolean {
  const names = ['127.0.0.1', 'localhost', '[::1]'].map((name) => `${name}:${port}`);
  return host !== undefined && names.includes(host.toLowerCase());
}

/** Browsers name it with each POST, and with each request for another origin; others don't. */
function isOurOrigin({ origin }: IncomingHttpHeaders, port: number): boolean {
  if (origin === undefined) return true;
  return origin.startsWith('http://') && isOurHost(origin.slice('http://'.length), port);
}

/** A link may lead here; nothing else of another site, another port of this machine included. */
function isFromElsewhere(headers: IncomingHttpHeaders, method: string, target: string): boolean {
  const site = headers['sec-fetch-site'];
  if (site === undefined || site === 'same-origin' || site === 'none') return false;
  return !(method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && pathOf(target) === '/');
}

function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function hasToken({ target, headers }: Asked, { port, token }: GuardRules): boolean {
  const given = [queryToken(target) ?? '', bearerOf(headers), cookieOf(headers, cookieName(port))];
  // All of them, so that it takes as long whichever it is.
  return given.map((each) => isSame(each, token)).includes(true);
}

function cookieOf({ cookie = '' }: IncomingHttpHeaders, name: string): string {
  for (const part of cookie.split(';')) {
    const at = part.indexOf('=');
    if (at >= 0 && part.slice(0, at).trim() === name) return part.slice(at + 1).trim();
  }
  return '';
}
