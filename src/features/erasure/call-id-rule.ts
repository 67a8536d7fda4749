/** Erased numbers in ids and other texts: recognised by hashes of their digits, as those of parties are. */
import { digitsIn } from '../../lib/number-eraser.js';
import type { SqlRunner } from '../../platform/db/connect.js';
import { type CallIdRule, type ErasedInId, type FindErased, type RenamingState, wholeOnes } from '../calls/index.js';
import { type ErasedPair, findRenaming } from './erasure.repository.js';
import { markOf, markOfText } from './pseudonyms.js';

export interface AccountRule {
  /** Null: neither encryption key opens it. */
  readonly key: Buffer | null;
  /** By the mark of a spelling. */
  readonly erased: ReadonlyMap<string, ErasedPair>;
}

/** By account. */
export type ErasureRules = ReadonlyMap<string, AccountRule>;

/** @throws Error the key is not at hand */
export function keyOf<K extends string | Buffer>({ key }: { readonly key: K | null }): K {
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
    erasedIn: (accountId, id) => createSearch(rules)(accountId, id),
    search: () => createSearch(rules),
    stateOf: (tx, erased) => stateOf(tx, erased, renamed),
    markOf: (key) => markOfText(keyOf({ key: idKey }), key),
  };
}

const nameOf = (accountId: string, pseudonym: string): string => `${accountId} ${pseudonym}`;

/** What is remembered is bounded: all of it is forgotten then. */
const MOST_KNOWN = 50_000;

/** Hashes each run of digits once for an account, as long as it is used. */
function createSearch(rules: ErasureRules): FindErased {
  const known = new Map<string, ErasedPair | undefined>();
  const pairOf = (accountId: string, rule: AccountRule, digits: string): ErasedPair | undefined => {
    const name = nameOf(accountId, digits);
    const found = known.get(name);
    if (found || known.has(name)) return found;
    const pair = rule.erased.get(markOf(keyOf(rule), digits));
    if (known.size >= MOST_KNOWN) known.clear();
    known.set(name, pair);
    return pair;
  };
  return (accountId, text) => {
    const rule = rules.get(accountId);
    if (!rule) return [];
    const found = new Map<string, ErasedInId>();
    for (const digits of digitsIn(text)) {
      const pair = pairOf(accountId, rule, digits);
      if (!pair) continue;
      const number = pair.is_national ? digits : `+${digits}`;
      found.set(number, { accountId, number, pseudonym: pair.pseudonym });
    }
    return wholeOnes([...found.values()]);
  };
}

/** What is known to be renamed stays so; of the others the database is asked, for it is a matter of moments. */
async function stateOf(tx: SqlRunner, erased: readonly ErasedInId[], renamed: ReadonlySet<string>) {
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
