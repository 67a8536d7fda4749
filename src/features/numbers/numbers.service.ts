import { type Actor, hasRole, visibilityOf } from '../../http/actor.js';
import type { IdSlice, Page } from '../../http/pagination.js';
import { permissionDenied } from '../../lib/errors.js';
import type { Db } from '../../platform/db/connect.js';
import type { Platform } from '../../platform/platform.js';
import type { EventLog, Record as RecordEvent } from '../events/index.js';
import { changeNumbers, type Hand, releaseNumbers } from './change-numbers.js';
import { type Claim, type ClaimRules, claimNumbers } from './claim-numbers.js';
import {
  type Author,
  type ListedNumber,
  matchesEtag,
  type NumberChange,
  type NumberPatch,
  type VirtualNumber,
} from './number.js';
import { checkReferences, findReferences } from './number-references.js';
import { claimsClosed, numberChanged, numberExists, numberNotFound, numbersTaken } from './numbers.errors.js';
import { findNumber, findNumberEver, listChanges, listNumbers, type NumberFilters } from './numbers.queries.js';
import { lockNumbers, lockNumbersOfUser, lockNumbersOnCarrier } from './numbers.repository.js';

export interface NumberDeps {
  readonly eventLog: EventLog;
  /** Hears of numbers that somebody holds from now on, after the commit. */
  readonly onClaimed?: ((numbers: readonly string[]) => Promise<void> | void) | undefined;
}

export interface PortedNumbers {
  readonly accountId: string;
  /** E.164. */
  readonly numbers: readonly string[];
  readonly byUserId: string | null;
  /** The moment of the port. */
  readonly at: number;
}

export type NumberService = ReturnType<typeof createNumberService>;

const isMember = (actor: Actor): boolean => !hasRole(actor, 'admin');

/** What a member holds is what is assigned to them; a colleague's number is theirs to see no more than to change. */
function checkTheirs(actor: Actor, number: VirtualNumber): void {
  if (isMember(actor) && number.userId !== actor.userId) throw permissionDenied();
}

export function createNumberService(platform: Platform, { eventLog, onClaimed }: NumberDeps) {
  const { db, clock, config, log } = platform;
  const handOf = (actor: Actor): Hand => ({
    ...{ accountId: actor.accountId, byUserId: actor.userId, byApiKeyId: actor.apiKeyId },
    at: clock.now(),
  });
  const rulesFor = (actor: Actor): ClaimRules => ({
    quarantineMs: config.numberQuarantine * 1000,
    mayAddNew: config.numberClaims === 'open' || hasRole(actor, 'operator'),
  });

  /** The claim stands whatever comes of telling it on. */
  async function announceClaimed(numbers: readonly string[]): Promise<void> {
    try {
      if (numbers.length > 0) await onClaimed?.(numbers);
    } catch (error) {
      log.warn({ err: error, count: numbers.length }, 'claimed numbers could not be announced');
    }
  }

  async function getNumber(actor: Actor, id: string): Promise<VirtualNumber> {
    const number = await findNumber(db, actor.accountId, id);
    if (!number) throw numberNotFound();
    checkTheirs(actor, number);
    return number;
  }

  async function lockNumber(tx: Db, actor: Actor, id: string): Promise<VirtualNumber> {
    const [number] = await lockNumbers(tx, actor.accountId, [id]);
    if (!number) throw numberNotFound();
    checkTheirs(actor, number);
    return number;
  }

  return {
    rulesFor,
    handOf,
    announceClaimed,
    getNumber,

    listNumbers: (actor: Actor, query: { filters: NumberFilters; slice: IdSlice }): Promise<Page<ListedNumber>> =>
      listNumbers(db, visibilityOf(actor), query),

    /** The number whose history the actor may read: released ones have theirs as well. */
    async getNumberEver(actor: Actor, id: string): Promise<VirtualNumber> {
      const number = await findNumberEver(db, actor.accountId, id);
      if (!number) throw numberNotFound();
      checkTheirs(actor, number);
      return number;
    },

    listChanges: (number: VirtualNumber, slice: IdSlice): Promise<Page<NumberChange>> => listChanges(db, number, slice),

    /** Before the body is read: whether there is such a number and it is theirs. */
    async checkMayChange(actor: Actor, id: string): Promise<void> {
      await getNumber(actor, id);
    },

    /** Only an admin releases; another account's number is not found before that is said. */
    async checkMayRelease(actor: Actor, id: string): Promise<void> {
      await getNumber(actor, id);
      if (isMember(actor)) throw permissionDenied();
    },

    async claimNumber(actor: Actor, claim: Claim): Promise<VirtualNumber> {
      const number = await eventLog.transaction(async (tx, record) => {
        checkReferences(await findReferences(tx, actor.accountId, [claim]), claim);
        const batch = { claimant: handOf(actor), claims: [claim], rules: rulesFor(actor), action: 'claimed' } as const;
        const outcome = (await claimNumbers(tx, record, batch)).get(claim.phoneNumber);
        if (outcome === 'closed') throw claimsClosed();
        if (outcome === undefined || outcome === 'taken') throw numberExists();
        return outcome;
      });
      await announceClaimed([number.phoneNumber]);
      return number;
    },

    /** @throws 412 when the number is not as `ifMatch` has it */
    changeNumber: (
      actor: Actor,
      { id, patch, ifMatch }: { id: string; patch: NumberPatch; ifMatch: string | undefined },
    ): Promise<VirtualNumber> =>
      eventLog.transaction(async (tx, record) => {
        const known = await findReferences(tx, actor.accountId, [patch]);
        const number = await lockNumber(tx, actor, id);
        checkReferences(known, patch, number);
        if (!matchesEtag(ifMatch, number)) throw numberChanged();
        const [after] = await changeNumbers(tx, record, { hand: handOf(actor), patched: [{ number, patch }] });
        return after ?? number;
      }),

    releaseNumber: (actor: Actor, { id, ifMatch }: { id: string; ifMatch: string | undefined }): Promise<void> =>
      eventLog.transaction(async (tx, record) => {
        const number = await lockNumber(tx, actor, id);
        if (!matchesEtag(ifMatch, number)) throw numberChanged();
        await releaseNumbers(tx, record, { hand: handOf(actor), numbers: [number] });
      }),

    /** For the removal of a user: nobody has their numbers from now on. To be called when their row is gone, or locked. */
    async unassignNumbersOf(
      tx: Db,
      record: RecordEvent,
      { userId, ...by }: Author & { readonly accountId: string; readonly userId: string },
    ): Promise<void> {
      const numbers = await lockNumbersOfUser(tx, by.accountId, userId);
      const hand = { ...by, at: clock.now() };
      const patched = numbers.map((number) => ({ number, patch: { userId: null } }));
      await changeNumbers(tx, record, { hand, patched });
    },

    /**
     * For the removal of a carrier: no number is on it from now on, of whatever account. To be called when its row is
     * locked. Another account's history does not name who removed a shared one.
     */
    async unassignNumbersOn(
      tx: Db,
      record: RecordEvent,
      { carrierId, ...by }: Author & { readonly accountId: string; readonly carrierId: string },
    ): Promise<void> {
      const numbers = await lockNumbersOnCarrier(tx, carrierId);
      for (const accountId of new Set(numbers.map((number) => number.accountId))) {
        const author = accountId === by.accountId ? by : { byUserId: null, byApiKeyId: null };
        const hand = { ...author, accountId, at: clock.now() };
        const theirs = numbers.filter((number) => number.accountId === accountId);
        await changeNumbers(tx, record, {
          ...{ hand, patched: theirs.map((number) => ({ number, patch: { carrierId: null } })) },
        });
      }
    },

    /**
     * Makes ported numbers the account's, in the transaction that moves the order; afterwards call `announceClaimed`.
     * @throws 409 `number_taken` with the numbers that somebody holds; nothing is changed then
     */
    async claimPortedNumbers(tx: Db, record: RecordEvent, ported: PortedNumbers): Promise<VirtualNumber[]> {
      const { accountId, byUserId, at } = ported;
      const numbers = [...new Set(ported.numbers)];
      const claims = numbers.map((phoneNumber) => ({
        ...{ phoneNumber, userId: null, carrierId: null },
        ...{ isActive: true, label: null, tags: [] },
      }));
      // The carriers have agreed on the move, so neither quarantine nor NUMBER_CLAIMS stands against it.
      const rules = { quarantineMs: 0, mayAddNew: true };
      // Only operators port, and no API key is one.
      const claimant = { accountId, byUserId, byApiKeyId: null, at };
      const outcomes = await claimNumbers(tx, record, { claimant, claims, rules, action: 'ported' });
      const taken = numbers.filter((number) => typeof outcomes.get(number) === 'string');
      if (taken.length > 0) throw numbersTaken(taken);
      return [...outcomes.values()].filter((outcome) => typeof outcome !== 'string');
    },
  };
}
