/**
 * What accounts want of facts before they become part of a call log: nothing older than they keep call logs, and no
 * party that was erased. Made by features that calls do not know; each is asked once for a batch.
 */
import type { CallFacts, Report } from './call-facts.js';
import type { CallIdRule } from './call-id-rule.js';

/** The oldest moment of which the account keeps call logs, ms; null: it keeps them for ever. */
export type KeptSince = (accountId: string) => number | null;

/** What a party that was erased is replaced by; null: it may be kept. */
export type ErasedIn = (accountId: string, party: string) => ErasedParty | null;

export interface ErasedParty {
  /** What takes the party's place. */
  readonly party: string;
  /** The number in it, and its pseudonym. */
  readonly number: string;
  readonly pseudonym: string;
}

export interface RecordingRules {
  keptSince?(): Promise<KeptSince>;
  erasedIn?(): Promise<ErasedIn>;
  /** Null: nothing was erased, in no account. */
  callIds?(): Promise<CallIdRule | null>;
}

/** What of a webhook must become unreadable. */
export type ErasedFromWebhook = Pick<ErasedParty, 'number' | 'pseudonym'> & { readonly webhookId: string };

export interface Guard {
  /** The reports of a leg as the account may have them: without those that are too old, the others' parties replaced. */
  admit(accountId: string, reports: readonly Report[]): Admission;
  /** The same facts where nothing in them was erased. */
  keepFacts(accountId: string, facts: CallFacts): CallFacts;
}

export interface Admission {
  /** The same list when nothing had to be changed. */
  readonly reports: readonly Report[];
  /** The webhooks of which at least one report was too old. */
  readonly expired: readonly string[];
  readonly erased: readonly ErasedFromWebhook[];
}

export async function loadGuard(rules: RecordingRules): Promise<Guard> {
  const [keptSince, erasedIn] = await Promise.all([rules.keptSince?.(), rules.erasedIn?.()]);
  return {
    admit(accountId, reports) {
      const since = keptSince?.(accountId) ?? null;
      const isOld = (report: Report): boolean => since !== null && (report.occurredAt ?? report.receivedAt) < since;
      const expired = reports.filter(isOld).map(({ webhookId }) => webhookId);
      const kept = expired.length === 0 ? reports : reports.filter((report) => !isOld(report));
      const erased: ErasedFromWebhook[] = [];
      if (!erasedIn) return { reports: kept, expired, erased };
      const keep = (party: string | undefined, webhookId: string): string | undefined => {
        const found = party === undefined ? null : erasedIn(accountId, party);
        if (!found) return party;
        erased.push({ webhookId, number: found.number, pseudonym: found.pseudonym });
        return found.party;
      };
      const changed = reports.map((report) => {
        const from = keep(report.from, report.webhookId);
        const to = keep(report.to, report.webhookId);
        return from === report.from && to === report.to ? report : { ...report, from, to };
      });
      return { reports: erased.length === 0 ? kept : changed.filter((report) => !isOld(report)), expired, erased };
    },
    keepFacts(accountId, facts) {
      const { from, to } = facts.registers;
      const [erasedFrom, erasedTo] = [from, to].map((party) => (party && erasedIn?.(accountId, party.value)) ?? null);
      if (!erasedFrom && !erasedTo) return facts;
      const registers = {
        ...facts.registers,
        ...(from && erasedFrom && { from: { ...from, value: erasedFrom.party } }),
        ...(to && erasedTo && { to: { ...to, value: erasedTo.party } }),
      };
      return { ...facts, registers };
    },
  };
}
