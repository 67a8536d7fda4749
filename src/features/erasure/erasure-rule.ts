import type { Knex } from 'knex';
import { numbersIn } from '../../lib/number-eraser.js';
import type { SecretBox } from '../../platform/secret-box.js';
import type { Wakeups } from '../../platform/wakeups.js';
import type { CallIdRule, ErasedIn, ErasedParty } from '../calls/index.js';
import { type AccountRule, createCallIdRule, type ErasureRules, keyOf } from './call-id-rule.js';
import { countErasures, keepIdKey, loadErasures } from './erasure.repository.js';
import { ID_KEY_PLACE, markOf, newKey, openKey } from './pseudonyms.js';

/** Hint that a number was erased somewhere. */
const TOPIC = 'erasures';
/** A hint may be lost: nobody records for longer without looking. */
const KEPT_MS = 1000;

export interface ErasureRule {
  /** What an erased party is replaced by in whatever comes later. */
  erasedIn(): Promise<ErasedIn>;
  /** What becomes of ids that hold an erased number; null: nothing was erased, in no account. */
  callIds(): Promise<CallIdRule | null>;
  /** To be called after the commit. */
  tellErased(): void;
}

export interface ErasureRuleDeps {
  readonly db: Knex;
  readonly wakeups: Wakeups;
  readonly secrets: SecretBox;
}

export function createErasureRule({ db, wakeups, secrets }: ErasureRuleDeps): ErasureRule {
  let rules: ErasureRules = new Map();
  let callIds: CallIdRule | null = null;
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
    const sealedIdKey = await keepIdKey(db, () => secrets.seal(newKey(), ID_KEY_PLACE));
    rules = new Map(
      accounts.map(({ account_id, sealed_key, pairs }) => [
        account_id,
        {
          key: orNull(() => Buffer.from(openKey(secrets, account_id, sealed_key), 'base64')),
          erased: new Map(pairs.map((pair) => [pair.mark, pair])),
        },
      ]),
    );
    callIds = createCallIdRule(
      rules,
      orNull(() => secrets.open(sealedIdKey, ID_KEY_PLACE)),
    );
    known = count;
  }

  async function lookNowAndThen(): Promise<void> {
    const asked = performance.now();
    if (asked - lookedAt <= KEPT_MS) return;
    await look();
    lookedAt = asked;
  }

  return {
    async erasedIn() {
      await lookNowAndThen();
      return (accountId, party) => {
        const rule = rules.get(accountId);
        return rule ? erasedPartyOf(rule, party) : null;
      };
    },
    async callIds() {
      await lookNowAndThen();
      return callIds;
    },
    tellErased: () => wakeups.publish(TOPIC, 'erased'),
  };
}

function orNull<K>(open: () => K): K | null {
  try {
    return open();
  } catch {
    return null;
  }
}

/** Without its key an account's webhooks fail, and may be replayed: what was erased must not come back. */
function erasedPartyOf(rule: AccountRule, party: string): ErasedParty | null {
  const key = keyOf(rule);
  for (const { written, digits, number } of numbersIn(party)) {
    const pseudonym = rule.erased.get(markOf(key, digits))?.pseudonym;
    if (pseudonym !== undefined) return { party: party.replace(written, pseudonym), number, pseudonym };
  }
  return null;
}
