/** Members that no entry shows, wherever they stand. */
const SECRET_MEMBERS = new Set([
  'password',
  'current_password',
  'new_password',
  'key',
  'token',
  'access',
  'refresh',
  'secret',
  'secrets',
  'otp',
  'otpauth_url',
  'recovery_codes',
  'pin',
  'account_number',
]);
const MASK = '[secret]';

type Members = Readonly<Record<string, unknown>>;

const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The same without what is secret. */
export function withoutSecrets(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (!isMembers(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      SECRET_MEMBERS.has(name) && member !== null ? MASK : withoutSecrets(member),
    ]),
  );
}

/** Members that differ on their own and say nothing of what somebody did. */
const RESTLESS = new Set(['updated_at', 'last_event_at', 'last_accepted', 'last_refused', 'last_used_at']);

/** Of a change, the members that differ. */
export function differences(before: unknown, after: unknown): { before: unknown; after: unknown } {
  if (!isMembers(before) || !isMembers(after)) return { before, after };
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => !RESTLESS.has(name) && JSON.stringify(before[name]) !== JSON.stringify(after[name]),
  );
  const pick = (from: Members): Members => Object.fromEntries(names.map((name) => [name, from[name] ?? null]));
  return { before: pick(before), after: pick(after) };
}

const MOST_BYTES = 32_768;

/** What is kept of an answer: an object, and of a large one its plain members. */
export function keptDetails(value: unknown): Members | null {
  if (!isMembers(value) || Buffer.isBuffer(value) || typeof (value as { pipe?: unknown }).pipe === 'function')
    return null;
  const shown = withoutSecrets(value) as Members;
  if (JSON.stringify(shown).length <= MOST_BYTES) return shown;
  const plain = Object.entries(shown).filter(([, member]) => typeof member !== 'object' && String(member).length < 500);
  return Object.fromEntries(plain);
}
