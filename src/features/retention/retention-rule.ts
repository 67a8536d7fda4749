import type { Knex } from 'knex';
import type { Clock } from '../../lib/clock.js';
import type { Wakeups } from '../../platform/wakeups.js';
import type { KeptSince } from '../calls/index.js';
import { DAY_MS } from './retention.js';
import { findCallRetentions } from './retention.repository.js';

/** Hint that an account's retention was changed. */
const TOPIC = 'retention';
/** A hint may be lost, and operators change accounts without one. */
const KEPT_MS = 1000;

export interface RetentionRule {
  /** What the account keeps no call logs of is not recorded either, however late it is told. */
  keptSince(): Promise<KeptSince>;
  /** To be called after the commit. */
  tellChanged(): void;
}

export interface RetentionRuleDeps {
  readonly db: Knex;
  readonly clock: Clock;
  readonly wakeups: Wakeups;
}

export function createRetentionRule({ db, clock, wakeups }: RetentionRuleDeps): RetentionRule {
  let days: ReadonlyMap<string, number> = new Map();
  let lookedAt = Number.NEGATIVE_INFINITY;
  wakeups.subscribe(TOPIC, () => {
    lookedAt = Number.NEGATIVE_INFINITY;
  });
  return {
    async keptSince() {
      const asked = performance.now();
      if (asked - lookedAt > KEPT_MS) {
        lookedAt = asked;
        days = await findCallRetentions(db).catch((error: unknown) => {
          lookedAt = Number.NEGATIVE_INFINITY;
          throw error;
        });
      }
      const now = clock.now();
      return (accountId) => {
        const kept = days.get(accountId);
        return kept === undefined ? null : now - kept * DAY_MS;
      };
    },
    tellChanged: () => wakeups.publish(TOPIC, 'changed'),
  };
}
