import type { CredentialRule } from '../provider.js';

type Check = CredentialRule['check'];

const LONGEST = 512;

/** What every credential must be: some text, on one line, without the spaces of a careless copy. */
export function checkText(value: string): string | null {
  if (value === '') return 'must not be empty';
  if (value.length > LONGEST) return `must not be longer than ${LONGEST} characters`;
  if (value !== value.trim()) return 'must not begin or end with a space';
  return /\p{Cc}/u.test(value) ? 'must not contain control characters' : null;
}

export function secretRule(name: string, required: 'required' | 'optional', check: Check = () => null): CredentialRule {
  return { name, required: required === 'required', secret: true, check: (value) => checkText(value) ?? check(value) };
}

export function plainRule(name: string, required: 'required' | 'optional', check: Check = () => null): CredentialRule {
  return { name, required: required === 'required', secret: false, check: (value) => checkText(value) ?? check(value) };
}
