import { createHash } from 'node:crypto';
import type { Credentials } from '../accounts/index.js';
import { type AuditActor, type NewAuditEntry, NOBODY, type Origin } from '../audit/index.js';
import type { Proof } from '../two-factor/index.js';
import type { Family } from './tokens.repository.js';

export type FailureReason = 'unknown_username' | 'wrong_password' | 'inactive' | 'wrong_otp';

type Whose = Pick<Credentials, 'userId' | 'accountId'>;

const asUser = (userId: string): AuditActor => ({ type: 'user', userId, apiKeyId: null });

function entry(action: string, { userId, accountId }: Whose, { address, requestId }: Origin): NewAuditEntry {
  return {
    ...{ accountId, action, address, requestId },
    outcome: 'succeeded',
    actor: asUser(userId),
    objectType: 'user',
    objectId: userId,
    members: [],
    before: null,
    after: null,
  };
}

export const signedIn = (user: Credentials, proof: Proof, from: Origin): NewAuditEntry => ({
  ...entry('sign_in', user, from),
  after: { username: user.username, second_factor: proof },
});

export const enrolled = (user: Credentials, from: Origin): NewAuditEntry => entry('user.two_factor', user, from);

export const signedOut = (family: Family, from: Origin): NewAuditEntry => entry('sign_out', family, from);

export const passwordChanged = (user: Credentials, from: Origin): NewAuditEntry =>
  entry('password.changed', user, from);

/** Somebody showed a refresh token that another holder had used: nobody can say which of the two it was. */
export const theft = (family: Family, from: Origin): NewAuditEntry => ({
  ...entry('refresh.theft', family, from),
  outcome: 'failed',
  actor: NOBODY,
});

interface Failure {
  readonly username: string;
  readonly user: Credentials | undefined;
  readonly reason: FailureReason;
}

/** A name that nobody has is told as a hash: now and then it is a password that was typed into the wrong field. */
export function failedSignIn({ username, user, reason }: Failure, from: Origin): NewAuditEntry {
  const who = user ? { username: user.username } : { username_sha256: shortHash(username) };
  return {
    ...entry('sign_in', { userId: '', accountId: '' }, from),
    accountId: user?.accountId ?? null,
    objectId: user?.userId ?? null,
    outcome: 'failed',
    actor: NOBODY,
    after: { ...who, reason },
  };
}

const shortHash = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);
