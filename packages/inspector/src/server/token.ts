import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** 128 bits that nobody guesses, as text for a URL. */
export function newToken(): string {
  return randomBytes(16).toString('base64url');
}

/** In the same time whatever was given: hashed, both are as long, and where they differ says nothing. */
export function isSame(given: string, token: string): boolean {
  return timingSafeEqual(digest(given), digest(token));
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
