/** What of a webhook's headers and query people may see: everything but credentials and signatures. */

const MASK = '[masked]';

const SECRET_NAME =
  /authori[sz]ation|cookie|signature|secret|passw|credential|api[-_]?key|access[-_]?key|(^|[-_])(auth|jwt|hmac|sig|key)($|[-_])|token/i;

/** Names that only look like secrets: they say which delivery it is. */
const HARMLESS = new Set(['i-twilio-idempotency-token', 'idempotency-key']);

const isSecret = (name: string): boolean => !HARMLESS.has(name.toLowerCase()) && SECRET_NAME.test(name);

export function maskHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, isSecret(name) ? MASK : value]));
}

/** User and password of a URL never reach us (they come as a header); a query may hold anything. */
export function maskPath(path: string): string {
  const mark = path.indexOf('?');
  if (mark < 0) return path;
  const members = path.slice(mark + 1).split('&');
  const masked = members.map((member) => {
    const equals = member.indexOf('=');
    return equals > 0 && isSecret(member.slice(0, equals)) ? `${member.slice(0, equals)}=${MASK}` : member;
  });
  return `${path.slice(0, mark)}?${masked.join('&')}`;
}
