import type { Knex } from 'knex';
import type { Actor } from '../../http/actor.js';
import type { AuditedOutcome, AuditedRequest, AuditTrail } from '../../http/audit.js';
import type { Clock } from '../../lib/clock.js';
import { isId } from '../../lib/ids.js';
import type { Logger } from '../../platform/log.js';
import { insertIntent, settleIntent } from './audit.repository.js';
import { differences, keptDetails } from './audit-details.js';
import { type AuditActor, type NewAuditEntry, NOBODY } from './audit-entry.js';

export interface TrailDeps {
  readonly db: Knex;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * The frame's changes, recorded around the handler. First the announcement is written, then the handler commits its
 * work, then one statement puts the entry in the announcement's place. A crash between leaves the announcement, which
 * the sweep turns into an entry of unknown outcome: a change without an entry cannot be.
 */
export function createTrail({ db, clock, log }: TrailDeps): AuditTrail {
  const now = (): Date => new Date(clock.now());

  return async (request) => {
    const begun = beginning(request);
    const id = await insertIntent(db, begun, now());
    return async (outcome) => {
      try {
        await settleIntent(db, id, entriesOf(begun, request, outcome), now());
      } catch (error) {
        // The change is made, and the announcement tells of it.
        log.error({ err: error, requestId: request.requestId }, 'an audit entry could not be finished');
      }
    };
  };
}

function beginning(request: AuditedRequest): NewAuditEntry {
  const { actor, address, requestId, action, objectType, objectId, members } = request;
  return {
    ...{ address, requestId, action, objectType, objectId, members },
    accountId: actor?.accountId ?? null,
    outcome: 'unknown',
    actor: actor ? actorOf(actor) : NOBODY,
    before: keptDetails(request.before),
    after: null,
  };
}

const actorOf = (actor: Actor): AuditActor => ({ type: actor.kind, userId: actor.userId, apiKeyId: actor.apiKeyId });

type Shown = Readonly<Record<string, unknown>> | null;

function entriesOf(begun: NewAuditEntry, request: AuditedRequest, { kind, after }: AuditedOutcome): NewAuditEntry[] {
  if (kind === 'nothing') return [];
  if (kind === 'unknown') return [begun];
  const shown = keptDetails(after);
  const objectId = begun.objectId ?? (isId(shown?.id) ? shown.id : null);
  const told = request.before !== null && shown !== null ? differences(begun.before, shown) : { after: shown };
  const entry: NewAuditEntry = { ...begun, ...told, objectId, outcome: 'succeeded' };
  const owner = ownerOf(entry, (begun.before as Shown) ?? shown);
  if (owner === null || owner === entry.accountId) return [entry];
  if (entry.accountId === null) return [{ ...entry, accountId: owner }];
  // Another account learns what an operator did to it, not who and where they are.
  const theirs = { ...entry, accountId: owner, address: null, actor: { ...NOBODY, type: 'operator' as const } };
  return [entry, theirs];
}

/** The account whose object it is. */
function ownerOf(entry: NewAuditEntry, shown: Shown): string | null {
  if (entry.objectType === 'account') return entry.objectId;
  return isId(shown?.account_id) ? shown.account_id : null;
}
