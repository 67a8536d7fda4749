import { describeNumber } from '../../lib/e164.js';
import { newId } from '../../lib/ids.js';
import type { Db } from '../../platform/db/connect.js';
import type { Record as RecordEvent } from '../events/index.js';
import { type Author, describeClaim, type VirtualNumber } from './number.js';
import { presentNumber } from './numbers.present.js';
import { type ClaimState, findClaimStates } from './numbers.queries.js';
import { insertChanges, insertFreeNumbers, openHoldings, withdrawNumbers } from './numbers.repository.js';

export interface Claim {
  readonly phoneNumber: string;
  readonly userId: string | null;
  readonly carrierId: string | null;
  readonly isActive: boolean;
  readonly label: string | null;
  readonly tags: readonly string[];
}

export interface ClaimRules {
  /** How long a released number is kept for its last holder. */
  readonly quarantineMs: number;
  /** Whether numbers that nobody ever held may be added. */
  readonly mayAddNew: boolean;
}

export interface Claimant extends Author {
  readonly accountId: string;
  readonly at: number;
}

export type Verdict = 'free' | 'taken' | 'closed';

export function judgeClaim(state: ClaimState | undefined, claimant: Claimant, rules: ClaimRules): Verdict {
  if (state?.isHeld) return 'taken';
  if (!state || state.lastAccountId === null) return rules.mayAddNew ? 'free' : 'closed';
  return isKept(state, claimant, rules) ? 'taken' : 'free';
}

const isKept = (state: ClaimState, claimant: Claimant, rules: ClaimRules): boolean =>
  state.lastAccountId !== null &&
  state.lastAccountId !== claimant.accountId &&
  state.releasedAt + rules.quarantineMs > claimant.at;

export type ClaimOutcome = VirtualNumber | Exclude<Verdict, 'free'>;

export interface ClaimBatch {
  readonly claimant: Claimant;
  /** Each number once. */
  readonly claims: readonly Claim[];
  readonly rules: ClaimRules;
  readonly action: 'claimed' | 'ported';
}

/**
 * Makes the account hold the numbers that are free: number, holding, history and event in the caller's transaction.
 * The first look refuses most of what is taken without waiting for anybody. The unique index decides between those who
 * ask at the same moment. The second look, with the number already ours, finds a release that came in between: so a
 * number in quarantine never slips through to another account.
 */
export async function claimNumbers(tx: Db, record: RecordEvent, batch: ClaimBatch): Promise<Map<string, ClaimOutcome>> {
  const { claims, claimant, rules } = batch;
  const outcomes = new Map<string, ClaimOutcome>();
  const states = await findClaimStates(tx, claims.map(phoneNumberOf));
  const wanted: VirtualNumber[] = [];
  for (const claim of claims) {
    const verdict = judgeClaim(states.get(claim.phoneNumber), claimant, rules);
    if (verdict === 'free') wanted.push(newNumber(claim, batch));
    outcomes.set(claim.phoneNumber, verdict === 'closed' ? 'closed' : 'taken');
  }
  const made = await insertUnkept(tx, wanted, batch);
  if (made.length > 0) await settle(tx, record, { made, batch });
  for (const number of made) outcomes.set(number.phoneNumber, number);
  return outcomes;
}

const phoneNumberOf = (thing: { readonly phoneNumber: string }): string => thing.phoneNumber;

function newNumber(claim: Claim, { claimant, action }: ClaimBatch): VirtualNumber {
  return {
    ...claim,
    ...describeNumber(claim.phoneNumber),
    id: newId(),
    accountId: claimant.accountId,
    createdAt: claimant.at,
    updatedAt: claimant.at,
    releasedAt: null,
    portedAt: action === 'ported' ? claimant.at : null,
    version: 1,
  };
}

async function insertUnkept(
  tx: Db,
  wanted: readonly VirtualNumber[],
  { claimant, rules }: ClaimBatch,
): Promise<VirtualNumber[]> {
  if (wanted.length === 0) return [];
  const ids = await insertFreeNumbers(tx, wanted);
  const inserted = wanted.filter((number) => ids.has(number.id));
  if (rules.quarantineMs === 0) return inserted;
  const states = await findClaimStates(tx, inserted.map(phoneNumberOf));
  const isLate = (number: VirtualNumber): boolean => {
    const state = states.get(number.phoneNumber);
    return state !== undefined && isKept(state, claimant, rules);
  };
  const late = inserted.filter(isLate).map((number) => number.id);
  await withdrawNumbers(tx, late);
  return inserted.filter((number) => !late.includes(number.id));
}

async function settle(
  tx: Db,
  record: RecordEvent,
  { made, batch }: { readonly made: readonly VirtualNumber[]; readonly batch: ClaimBatch },
): Promise<void> {
  const { claimant, action } = batch;
  await openHoldings(tx, made, claimant.at);
  await insertChanges(
    tx,
    made.map((number) => ({
      virtualNumberId: number.id,
      accountId: number.accountId,
      at: claimant.at,
      action,
      byUserId: claimant.byUserId,
      byApiKeyId: claimant.byApiKeyId,
      changes: describeClaim(number),
    })),
  );
  for (const number of made) {
    record({
      accountId: number.accountId,
      type: 'number.created',
      subjectId: number.id,
      occurredAt: claimant.at,
      receivedAt: claimant.at,
      payload: presentNumber(number),
    });
  }
}
