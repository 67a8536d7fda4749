import type { Verdict } from '../provider.js';
import { equalsInConstantTime, refuse, VERIFIED } from './signatures.js';

const withoutPadding = (base64: string): string => base64.replace(/=+$/, '');

/** User and password of an `Authorization: Basic` header, or null. RFC 7617: the first colon divides them. */
export function readBasic(header: string): { readonly username: string; readonly password: string } | null {
  const credentials = /^basic +([a-z0-9+/]+={0,2}) *$/i.exec(header)?.[1];
  if (!credentials) return null;
  const bytes = Buffer.from(credentials, 'base64');
  // Some leave out the padding; what does not come back is no base64, though node's decoder took it.
  if (withoutPadding(bytes.toString('base64')) !== withoutPadding(credentials)) return null;
  const text = bytes.toString('utf8');
  const colon = text.indexOf(':');
  return colon < 0 ? null : { username: text.slice(0, colon), password: text.slice(colon + 1) };
}

const isOneOf = (given: string, values: readonly string[]): boolean => {
  let found = false;
  for (const value of values) if (value !== '') found = equalsInConstantTime(given, value) || found;
  return found;
};

export function verifyBasic(
  header: string | undefined,
  usernames: readonly string[] | undefined,
  passwords: readonly string[] | undefined,
): Verdict {
  if (!header) return refuse('missing_credentials', 'The request has no Authorization header (Basic).');
  const given = readBasic(header);
  if (!given) return refuse('malformed_credentials', 'The Authorization header is not Basic with user and password.');
  const userMatches = isOneOf(given.username, usernames ?? []);
  const passwordMatches = isOneOf(given.password, passwords ?? []);
  if (userMatches && passwordMatches) return VERIFIED;
  return refuse('bad_credentials', 'User or password are not those of this carrier.');
}
