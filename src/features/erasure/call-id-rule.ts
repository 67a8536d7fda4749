/** Erased numbers in ids: recognised by hashes of their digits, as those of parties are. */
import { digitsIn } from '../../lib/number-eraser.js';
import type { Db } from '../../platform/db/connect.js';
import type { CallIdRule, ErasedInId, RenamingState } from '../calls/index.js';
import { type ErasedPair, findRenaming } from './erasure.repository.js';
import { markOf, markOfText } from './pseudonyms.js';

export interface AccountRule {
  /** Null: neither encryption key opens it. */
  readonly key: string | null;
  /** By the mark of a spelling. */
  readonly erased: ReadonlyMap<string, ErasedPair>;
}

/** By account. */
export type ErasureRules = ReadonlyMap<string, AccountRule>;

/** @throws Error the key is not at hand */
export function keyOf({ key }: Pick<AccountRule, 'key'>): string {
  if (key === null) throw new Error('The key of the account’s erasures was sealed with a key that is not at hand.');
  return key;
}

/** `idKey`: of the marks of renamed ids; null: it is not at hand. */
export function createCallIdRule(rules: ErasureRules, idKey: string | null): CallIdRule {
  const renamed = new Set<string>();
  for (const [accountId, { erased }] of rules) {
    for (const pair of erased.values()) if (pair.is_renamed) renamed.add(nameOf(accountId, pair.pseudonym));
  }
  return {
    isMeant: (accountId) => accountId === null || rules.has(accountId),
    erasedIn(accountId, id) {
      const rule = rules.get(accountId);
      return rule ? erasedInId(accountId, rule, id) : [];
    },
    stateOf: (tx, erased) => stateOf(tx, erased, renamed),
    markOf: (key) => markOfText(keyOf({ key: idKey }), key),
  };
}

const nameOf = (accountId: string, pseudonym: string): string => `${accountId} ${pseudonym}`;

function erasedInId(accountId: string, rule: AccountRule, id: string): ErasedInId[] {
  const found = new Map<string, ErasedInId>();
  for (const digits of digitsIn(id)) {
    const pair = rule.erased.get(markOf(keyOf(rule), digits));
    if (!pair) continue;
    const number = pair.is_national ? digits : `+${digits}`;
    found.set(number, { accountId, number, pseudonym: pair.pseudonym });
  }
  return [...found.values()];
}

/** What is known to be renamed stays so; of the others the database is asked, for it is a matter of moments. */
async function stateOf(tx: Db, erased: readonly ErasedInId[], renamed: ReadonlySet<string>) {
  const open = erased.filter(({ accountId, pseudonym }) => !renamed.has(nameOf(accountId, pseudonym)));
  const states = new Map<string, RenamingState>();
  if (open.length > 0) {
    for (const row of await findRenaming(tx, [...new Set(open.map(({ pseudonym }) => pseudonym))])) {
      const isLeft = row.is_done ? 'left' : 'ahead';
      states.set(nameOf(row.account_id, row.pseudonym), row.is_renamed ? 'renamed' : isLeft);
    }
  }
  return ({ accountId, pseudonym }: ErasedInId): RenamingState => {
    const name = nameOf(accountId, pseudonym);
    return renamed.has(name) ? 'renamed' : (states.get(name) ?? 'ahead');
  };
}
