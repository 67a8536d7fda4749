import type { Db } from '../../platform/db/connect.js';
import type { Record as RecordEvent } from '../events/index.js';
import {
  type Author,
  changeNumber,
  describeChange,
  describeRelease,
  type NumberChange,
  type NumberPatch,
  type VirtualNumber,
} from './number.js';
import { presentNumber } from './numbers.present.js';
import { closeHoldings, insertChanges, openHoldings, updateNumbers } from './numbers.repository.js';

/** Who changes the account's numbers, and when. */
export interface Hand extends Author {
  readonly accountId: string;
  readonly at: number;
}

export interface PatchedNumber {
  readonly number: VirtualNumber;
  readonly patch: NumberPatch;
}

interface Step {
  readonly before: VirtualNumber;
  readonly after: VirtualNumber;
}

/**
 * Changes numbers that the caller's transaction has locked: rows, holdings, history and events together. Answers them
 * as they are afterwards, in the same order; one that its patch does not change is the same object.
 */
export async function changeNumbers(
  tx: Db,
  record: RecordEvent,
  { hand, patched }: { readonly hand: Hand; readonly patched: readonly PatchedNumber[] },
): Promise<VirtualNumber[]> {
  const steps = patched.map(({ number, patch }) => ({ before: number, after: changeNumber(number, patch, hand.at) }));
  const changed = steps.filter(({ before, after }) => after !== before);
  if (changed.length > 0) await storeSteps(tx, record, { hand, steps: changed });
  return steps.map(({ after }) => after);
}

async function storeSteps(
  tx: Db,
  record: RecordEvent,
  { hand, steps }: { readonly hand: Hand; readonly steps: readonly Step[] },
): Promise<void> {
  await updateNumbers(
    tx,
    hand.accountId,
    steps.map(({ after }) => after),
  );
  const moved = steps.filter(({ before, after }) => before.userId !== after.userId).map(({ after }) => after);
  if (moved.length > 0) {
    await closeHoldings(tx, moved, hand.at);
    await openHoldings(tx, moved, hand.at);
  }
  const changes: Omit<NumberChange, 'id'>[] = [];
  for (const { before, after } of steps) {
    for (const { action, changes: described } of describeChange(before, after)) {
      changes.push({ ...historyOf(after, hand), action, changes: described });
      record({
        ...eventOf(after, hand),
        type: action === 'assigned' ? 'number.assigned' : 'number.updated',
        before: before.userId === after.userId ? null : { user_id: before.userId },
      });
    }
  }
  await insertChanges(tx, changes);
}

/** Releases numbers that the caller's transaction has locked; the event shows them as they were last held. */
export async function releaseNumbers(
  tx: Db,
  record: RecordEvent,
  { hand, numbers }: { readonly hand: Hand; readonly numbers: readonly VirtualNumber[] },
): Promise<void> {
  if (numbers.length === 0) return;
  const released = numbers.map((number) => {
    const at = Math.max(hand.at, number.createdAt);
    return { ...number, updatedAt: Math.max(at, number.updatedAt), releasedAt: at, version: number.version + 1 };
  });
  await updateNumbers(tx, hand.accountId, released);
  await closeHoldings(tx, released, hand.at);
  await insertChanges(
    tx,
    released.map((number) => ({
      ...historyOf(number, hand),
      action: 'released' as const,
      changes: describeRelease(number),
    })),
  );
  for (const number of released) record({ ...eventOf(number, hand), type: 'number.released' });
}

const historyOf = (number: VirtualNumber, hand: Hand) => ({
  virtualNumberId: number.id,
  accountId: number.accountId,
  at: hand.at,
  byUserId: hand.byUserId,
  byApiKeyId: hand.byApiKeyId,
});

const eventOf = (number: VirtualNumber, hand: Hand) => ({
  accountId: number.accountId,
  subjectId: number.id,
  occurredAt: hand.at,
  receivedAt: hand.at,
  payload: presentNumber(number),
});
