import type { Actor } from '../../http/actor.js';
import type { BulkResult } from './bulk-numbers.js';
import { judgeReferences, type Mode, told } from './bulk-targets.js';
import { type Claim, claimNumbers, judgeClaim, type Verdict } from './claim-numbers.js';
import type { VirtualNumber } from './number.js';
import { CLAIMS_CLOSED, NUMBER_EXISTS } from './numbers.errors.js';
import { findClaimStates } from './numbers.queries.js';
import type { NumberService } from './numbers.service.js';

export interface ClaimRow {
  readonly row: number;
  readonly claim: Claim;
}

export interface ClaimWork {
  readonly actor: Actor;
  readonly numbers: NumberService;
  readonly rows: readonly ClaimRow[];
  /** Numbers of the rows before. */
  readonly seen: Set<string>;
}

/** Claims what is free of the rows, or on a dry run tells what would be claimed. */
export async function claimRows(mode: Mode, work: ClaimWork): Promise<BulkResult[]> {
  const { actor, rows, seen } = work;
  const { good, refused: results } = await judgeReferences(mode.tx, actor.accountId, {
    rows,
    assignmentOf: ({ claim }) => claim,
    numberOf: ({ claim }) => claim.phoneNumber,
  });
  const first: ClaimRow[] = [];
  for (const row of good) {
    const { phoneNumber } = row.claim;
    if (seen.has(phoneNumber)) results.push(duplicate(row.row, phoneNumber));
    else first.push(row);
    seen.add(phoneNumber);
  }
  const outcomes = await claim(
    mode,
    work,
    first.map((row) => row.claim),
  );
  for (const row of first) {
    const { phoneNumber } = row.claim;
    results.push(claimResult(row.row, phoneNumber, outcomes.get(phoneNumber) ?? 'taken'));
  }
  return results;
}

async function claim(
  { tx, record }: Mode,
  { actor, numbers }: ClaimWork,
  claims: readonly Claim[],
): Promise<Map<string, VirtualNumber | Verdict>> {
  const rules = numbers.rulesFor(actor);
  const claimant = numbers.handOf(actor);
  if (record) return claimNumbers(tx, record, { claimant, claims, rules, action: 'claimed' });
  const wanted = claims.map(({ phoneNumber }) => phoneNumber);
  const states = await findClaimStates(tx, wanted);
  return new Map(wanted.map((number) => [number, judgeClaim(states.get(number), claimant, rules)]));
}

function claimResult(row: number, phoneNumber: string, outcome: VirtualNumber | Verdict): BulkResult {
  if (outcome === 'taken') return duplicate(row, phoneNumber);
  if (outcome === 'free') return { row, status: 'created', phone_number: phoneNumber };
  if (outcome !== 'closed') return told(row, 'created', outcome);
  return { row, status: 'invalid', phone_number: phoneNumber, errors: { phone_number: [CLAIMS_CLOSED] } };
}

const duplicate = (row: number, phoneNumber: string): BulkResult => ({
  ...{ row, status: 'duplicate', phone_number: phoneNumber },
  errors: { phone_number: [NUMBER_EXISTS] },
});
