import type { GivenCredentials } from './carrier.js';
import { wrongCredentials } from './carriers.errors.js';
import type { CredentialRule, ProviderAdapter, Secrets } from './provider.js';

export interface Credentials {
  readonly secrets: Secrets;
  readonly plain: Readonly<Record<string, string>>;
}

const MOST_VALUES = 2;

/** Checks what a request gives by the rules of its provider. @throws 400 under `credentials` */
export function readCredentials(adapter: ProviderAdapter, given: GivenCredentials): Credentials {
  const wrong: string[] = [];
  const secrets: Record<string, readonly string[]> = {};
  const plain: Record<string, string> = {};
  for (const name of Object.keys(given)) {
    const rule = adapter.credentials.find((candidate) => candidate.name === name);
    if (!rule) {
      wrong.push(`${name.slice(0, 100)} is not a credential of ${adapter.name}.`);
      continue;
    }
    const values = readValues(rule, given[name], wrong);
    if (rule.secret) secrets[name] = values;
    else plain[name] = values[0] ?? '';
  }
  for (const rule of adapter.credentials) {
    if (rule.required && !(rule.name in given)) wrong.push(`${rule.name} is required.`);
  }
  if (!hasOneOf(adapter, given)) wrong.push(`${describeChoice(adapter)} is required.`);
  if (wrong.length > 0) throw wrongCredentials(wrong);
  return { secrets, plain };
}

/** The values of one credential; what is wrong with them is told in `wrong`. */
function readValues(rule: CredentialRule, value: unknown, wrong: string[]): string[] {
  const values = Array.isArray(value) ? value : [value];
  if (Array.isArray(value) && !rule.secret) wrong.push(`${rule.name} must be a text.`);
  else if (!values.every((entry) => typeof entry === 'string')) wrong.push(`${rule.name} must be a text.`);
  else if (values.length < 1 || values.length > MOST_VALUES)
    wrong.push(`${rule.name} must be a text or a list of one or two texts.`);
  else {
    const sentences = values.map((entry) => rule.check(entry)).filter((sentence) => sentence !== null);
    for (const sentence of new Set(sentences)) wrong.push(`${rule.name} ${sentence}.`);
    return [...new Set<string>(values)];
  }
  return [];
}

function hasOneOf(adapter: ProviderAdapter, given: GivenCredentials): boolean {
  return !adapter.oneOf || adapter.oneOf.some((names) => names.every((name) => name in given));
}

const describeChoice = (adapter: ProviderAdapter): string =>
  (adapter.oneOf ?? []).map((names) => names.join(' with ')).join(' or ');

/**
 * The credentials after a change: a name that is given takes its place, `null` takes it away, the others stay. Where a
 * provider has alternatives, giving one of them drops the others: whoever moves from a shared secret to a public key
 * does not expect the secret to verify on.
 */
export function mergeCredentials(adapter: ProviderAdapter, present: Credentials, given: GivenCredentials): Credentials {
  const names = Object.keys(given).filter((name) => given[name] !== null);
  const chosen = adapter.oneOf?.filter((set) => set.some((name) => names.includes(name))) ?? [];
  const dropped = chosen.length === 0 ? [] : (adapter.oneOf ?? []).filter((set) => !chosen.includes(set)).flat();
  const merged = { ...present.secrets, ...present.plain, ...given };
  const kept = Object.entries(merged).filter(([name, value]) => value !== null && !dropped.includes(name));
  return readCredentials(adapter, Object.fromEntries(kept));
}

/** Names of everything that is set, in the provider's own order. */
export function credentialNames(adapter: ProviderAdapter, credentials: Credentials): string[] {
  return adapter.credentials
    .map((rule) => rule.name)
    .filter((name) => name in credentials.secrets || name in credentials.plain);
}
