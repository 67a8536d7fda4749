import type { Knex } from 'knex';
import { numbersIn } from '../../lib/number-eraser.js';
import type { SecretBox } from '../../platform/secret-box.js';
import type { Wakeups } from '../../platform/wakeups.js';
import type { ErasedIn, ErasedParty } from '../calls/index.js';
import { countErasures, loadErasures } from './erasure.repository.js';
import { markOf, openKey } from './pseudonyms.js';

/** Hint that a number was erased somewhere. */
const TOPIC = 'erasures';
/** A hint may be lost: nobody records for longer without looking. */
const KEPT_MS = 1000;

export interface ErasureRule {
  /** What an erased party is replaced by in whatever comes later. */
  erasedIn(): Promise<ErasedIn>;
  /** To be called after the commit. */
  tellErased(): void;
}

export interface ErasureRuleDeps {
  readonly db: Knex;
  readonly wakeups: Wakeups;
  readonly secrets: SecretBox;
}

interface AccountRule {
  /** Null: neither encryption key opens it. */
  readonly key: string | null;
  readonly pseudonyms: ReadonlyMap<string, string>;
}

export function createErasureRule({ db, wakeups, secrets }: ErasureRuleDeps): ErasureRule {
  let rules: ReadonlyMap<string, AccountRule> = new Map();
  let known = 0;
  let lookedAt = Number.NEGATIVE_INFINITY;
  wakeups.subscribe(TOPIC, () => {
    lookedAt = Number.NEGATIVE_INFINITY;
  });

  /** Erasures are never taken back, so their count tells whether there are new ones. */
  async function look(): Promise<void> {
    const count = await countErasures(db);
    if (count === known) return;
    const accounts = await loadErasures(db);
    rules = new Map(
      accounts.map(({ account_id, sealed_key, pairs }) => [
        account_id,
        {
          key: openOrNull(secrets, account_id, sealed_key),
          pseudonyms: new Map(pairs.map(({ mark, pseudonym }) => [mark, pseudonym])),
        },
      ]),
    );
    known = count;
  }

  return {
    async erasedIn() {
      const asked = performance.now();
      if (asked - lookedAt > KEPT_MS) {
        await look();
        lookedAt = asked;
      }
      return (accountId, party) => {
        const rule = rules.get(accountId);
        return rule ? erasedPartyOf(rule, party) : null;
      };
    },
    tellErased: () => wakeups.publish(TOPIC, 'erased'),
  };
}

function openOrNull(secrets: SecretBox, accountId: string, sealed: string): string | null {
  try {
    return openKey(secrets, accountId, sealed);
  } catch {
    return null;
  }
}

/** Without its key an account's webhooks fail, and may be replayed: what was erased must not come back. */
function erasedPartyOf({ key, pseudonyms }: AccountRule, party: string): ErasedParty | null {
  if (key === null) throw new Error('The key of the account’s erasures was sealed with a key that is not at hand.');
  for (const { written, digits, number } of numbersIn(party)) {
    const pseudonym = pseudonyms.get(markOf(key, digits));
    if (pseudonym !== undefined) return { party: party.replace(written, pseudonym), number, pseudonym };
  }
  return null;
}
