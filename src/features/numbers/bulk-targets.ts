import type { Db } from '../../platform/db/connect.js';
import type { Record as RecordEvent } from '../events/index.js';
import type { BulkResult, GoodRow } from './bulk-numbers.js';
import type { Target } from './bulk-numbers.schema.js';
import type { NumberPatch, VirtualNumber } from './number.js';
import { findReferences, referenceErrors } from './number-references.js';
import { findHeldIds, findNumbers } from './numbers.queries.js';
import { lockNumbers } from './numbers.repository.js';

/** How a chunk is worked: in a transaction that records events, or on a dry run by looking only. */
export interface Mode {
  readonly tx: Db;
  readonly record: RecordEvent | null;
}

export const told = (row: number, status: string, number: VirtualNumber): BulkResult => ({
  ...{ row, status, id: number.id, phone_number: number.phoneNumber },
});

interface Judging<R> {
  readonly rows: readonly R[];
  readonly assignmentOf: (row: R) => NumberPatch;
  readonly numberOf: (row: R) => string | undefined;
}

/** Parts the rows by whether the account has the user and the carrier that they name. */
export async function judgeReferences<R extends { readonly row: number }>(
  tx: Db,
  accountId: string,
  { rows, assignmentOf, numberOf }: Judging<R>,
): Promise<{ good: R[]; refused: BulkResult[] }> {
  const known = await findReferences(tx, accountId, rows.map(assignmentOf));
  const good: R[] = [];
  const refused: BulkResult[] = [];
  for (const row of rows) {
    const errors = referenceErrors(known, assignmentOf(row));
    if (errors) refused.push({ row: row.row, status: 'invalid', phone_number: numberOf(row), errors });
    else good.push(row);
  }
  return { good, refused };
}

type TargetRow = GoodRow<Target>;

interface FoundTargets<R extends TargetRow> {
  readonly targets: readonly { readonly source: R; readonly number: VirtualNumber }[];
  readonly refused: BulkResult[];
}

/** The account's numbers that the rows name, each once; locked unless it is a dry run. */
export async function findTargets<R extends TargetRow>(
  { tx, record }: Mode,
  accountId: string,
  { rows, seen }: { readonly rows: readonly R[]; readonly seen: Set<string> },
): Promise<FoundTargets<R>> {
  const named = rows.flatMap(({ input }) => input.phone_number ?? []);
  const idByNumber = await findHeldIds(tx, accountId, named);
  const idOf = ({ input }: R): string => input.id ?? idByNumber.get(input.phone_number ?? '') ?? '';
  const ids = [...new Set(rows.map(idOf).filter((id) => id !== ''))];
  const found = record ? await lockNumbers(tx, accountId, ids) : await findNumbers(tx, accountId, ids);
  const byId = new Map(found.map((number) => [number.id, number] as const));
  const targets: { source: R; number: VirtualNumber }[] = [];
  const refused: BulkResult[] = [];
  for (const source of rows) {
    const number = byId.get(idOf(source));
    const { row, input } = source;
    if (number && seen.has(number.id))
      refused.push({ ...told(row, 'invalid', number), errors: { non_field_errors: [TWICE] } });
    else if (number) targets.push({ source, number });
    else
      refused.push({
        ...{ row, status: 'not_found', phone_number: input.phone_number },
        errors: { non_field_errors: [ABSENT] },
      });
    if (number) seen.add(number.id);
  }
  return { targets, refused };
}

const TWICE = 'An earlier row names the same number.';
const ABSENT = 'The account holds no such number.';
