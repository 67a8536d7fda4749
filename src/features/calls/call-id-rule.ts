/**
 * Carriers may write numbers into the ids that they give calls and sessions. Where such a number is erased, the id gets
 * another name, in which the pseudonym stands in its place; what the carrier says later of the old one means the new.
 */
import type { SqlRunner } from '../../platform/db/connect.js';
import type { ErasedParty } from './recording-rules.js';

/** A number in an id that its account has had erased. */
export interface ErasedInId extends Pick<ErasedParty, 'number' | 'pseudonym'> {
  readonly accountId: string;
}

/**
 * Without the national numbers of which the international one is there as well: what erases that erases both, and what
 * erases the national one first would leave `+49 erased-…`.
 */
export function wholeOnes<E extends Pick<ErasedParty, 'number' | 'pseudonym'>>(erased: readonly E[]): readonly E[] {
  const isWhole = ({ number }: E): boolean => number.startsWith('+');
  const whole = new Set(erased.filter(isWhole).map(({ pseudonym }) => pseudonym));
  return erased.filter((one) => isWhole(one) || !whole.has(one.pseudonym));
}

/**
 * How far the erasure of a number is with ids. `ahead`: not everybody has heard of it, ids are as they were; `renamed`:
 * nobody writes one any more that holds it; `left`: it was done before ids were renamed.
 */
export type RenamingState = 'ahead' | 'renamed' | 'left';

/** Numbers in a text; not the national one where it is the end of the international one. */
export type FindErased = (accountId: string, text: string) => readonly ErasedInId[];

export interface CallIdRule {
  /** Whether anything was erased in the account; in any, where it is not known (null). */
  isMeant(accountId: string | null): boolean;
  erasedIn: FindErased;
  /** The same for many texts: what they have in common is hashed once. */
  search(): FindErased;
  stateOf(tx: SqlRunner, erased: readonly ErasedInId[]): Promise<(erased: ErasedInId) => RenamingState>;
  /** Keyed hash of a leg's or a session's key, by which it is known that it was renamed. */
  markOf(key: string): string;
}

/** Of a call (`leg`) or of a session. */
export type IdKind = 'leg' | 'session';

export interface Rename {
  readonly kind: IdKind;
  readonly carrierId: string;
  readonly from: string;
  readonly to: string;
  /** Of `from`. */
  readonly mark: string;
}

/**
 * Ids must be renamed (by `renameCallIds`), or were renamed meanwhile: to be thrown where nothing is written yet, and
 * everything begun again.
 */
export class CallIdsChanged extends Error {
  readonly renames: readonly Rename[];

  constructor(renames: readonly Rename[]) {
    super('Ids of calls have other names now.');
    this.name = 'CallIdsChanged';
    this.renames = renames;
  }
}
