import type { Actor } from '../../http/actor.js';
import type { Platform } from '../../platform/platform.js';
import type { EventLog } from '../events/index.js';
import { claimRows } from './bulk-claims.js';
import { type BulkResult, type GoodRow, runBulk } from './bulk-numbers.js';
import { changeRow, releaseRow, type Target } from './bulk-numbers.schema.js';
import { findTargets, judgeReferences, type Mode, told } from './bulk-targets.js';
import { changeNumbers, releaseNumbers } from './change-numbers.js';
import { claimFrom, patchFrom } from './inputs.js';
import { changeNumber } from './number.js';
import { type ChangeInput, type ClaimInput, claimBody } from './numbers.schema.js';
import type { NumberService } from './numbers.service.js';

export interface BulkRequest {
  readonly rows: readonly unknown[];
  readonly dryRun: boolean;
}

/** Ids of the numbers that rows before have named. */
type Seen = Set<string>;

export type BulkNumberService = ReturnType<typeof createBulkNumberService>;

export function createBulkNumberService({ db }: Platform, eventLog: EventLog, numbers: NumberService) {
  const run = <T>(dryRun: boolean, work: (mode: Mode) => Promise<T>): Promise<T> =>
    dryRun ? work({ tx: db, record: null }) : eventLog.transaction((tx, record) => work({ tx, record }));

  async function changeRows(
    mode: Mode,
    actor: Actor,
    { good, seen }: { readonly good: readonly GoodRow<Target & ChangeInput>[]; readonly seen: Seen },
  ): Promise<BulkResult[]> {
    const judged = await judgeReferences(mode.tx, actor.accountId, {
      rows: good.map(({ row, input }) => ({ row, input, patch: patchFrom(actor, input) })),
      assignmentOf: ({ patch }) => patch,
      numberOf: ({ input }) => input.phone_number,
    });
    const { targets, refused } = await findTargets(mode, actor.accountId, { rows: judged.good, seen });
    const hand = numbers.handOf(actor);
    const patched = targets.map(({ number, source }) => ({ number, patch: source.patch }));
    const after = mode.record
      ? await changeNumbers(mode.tx, mode.record, { hand, patched })
      : patched.map(({ number, patch }) => changeNumber(number, patch, hand.at));
    const done = targets.map(({ number, source }, index) =>
      told(source.row, after[index] === number ? 'unchanged' : 'changed', number),
    );
    return [...judged.refused, ...refused, ...done];
  }

  async function releaseRows(
    mode: Mode,
    actor: Actor,
    { good, seen }: { readonly good: readonly GoodRow<Target>[]; readonly seen: Seen },
  ): Promise<BulkResult[]> {
    const { targets, refused } = await findTargets(mode, actor.accountId, { rows: good, seen });
    const released = targets.map(({ number }) => number);
    if (mode.record) await releaseNumbers(mode.tx, mode.record, { hand: numbers.handOf(actor), numbers: released });
    return [...refused, ...targets.map(({ number, source }) => told(source.row, 'released', number))];
  }

  return {
    createNumbers(actor: Actor, { rows, dryRun }: BulkRequest): AsyncGenerator<BulkResult[]> {
      const seen = new Set<string>();
      return runBulk<ClaimInput>(rows, claimBody, async (good) => {
        const claims = good.map(({ row, input }) => ({ row, claim: claimFrom(actor, input) }));
        const results = await run(dryRun, (mode) => claimRows(mode, { actor, numbers, rows: claims, seen }));
        const made = results.filter(({ status }) => status === 'created');
        if (!dryRun) await numbers.announceClaimed(made.flatMap((result) => result.phone_number ?? []));
        return results;
      });
    },

    changeNumbers(actor: Actor, { rows, dryRun }: BulkRequest): AsyncGenerator<BulkResult[]> {
      const seen: Seen = new Set();
      return runBulk<Target & ChangeInput>(rows, changeRow, (good) =>
        run(dryRun, (mode) => changeRows(mode, actor, { good, seen })),
      );
    },

    releaseNumbers(actor: Actor, { rows, dryRun }: BulkRequest): AsyncGenerator<BulkResult[]> {
      const seen: Seen = new Set();
      return runBulk<Target>(rows, releaseRow, (good) =>
        run(dryRun, (mode) => releaseRows(mode, actor, { good, seen })),
      );
    },
  };
}
