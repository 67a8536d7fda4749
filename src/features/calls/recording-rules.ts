/**
 * What accounts want of facts before they become part of a call log: nothing older than they keep call logs, and no
 * number that was erased. Made by features that calls do not know; each is asked once for a batch.
 */
import { mayHoldNumber } from '../../lib/number-eraser.js';
import { type CallFacts, type Report, type Verdict, withCauses, withDeliveryKeys } from './call-facts.js';
import type { CallIdRule, ErasedInId } from './call-id-rule.js';
import { idWithout } from './call-ids.js';

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
  /** The reports of a leg as the account may have them: without those that are too old, the others' parties, causes and delivery keys replaced. */
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

/** A text as it may be recorded, and what of it must not. */
interface KeptText {
  readonly text: string;
  readonly erased: readonly ErasedInId[];
}

export async function loadGuard(rules: RecordingRules): Promise<Guard> {
  const [keptSince, erasedIn, ids = null] = await Promise.all([
    rules.keptSince?.(),
    rules.erasedIn?.(),
    rules.callIds?.(),
  ]);

  /** Senders may write numbers into the ids of their deliveries, and carriers into causes. */
  function textIn(accountId: string, text: string): KeptText {
    if (!ids?.isMeant(accountId) || !mayHoldNumber(text)) return { text, erased: [] };
    const erased = ids.erasedIn(accountId, text);
    return { text: idWithout(text, erased), erased };
  }

  const keepVerdict = (accountId: string, verdict: Verdict): Verdict =>
    withCauses(verdict, (cause) => textIn(accountId, cause).text);

  return {
    admit(accountId, reports) {
      const since = keptSince?.(accountId) ?? null;
      const isOld = (report: Report): boolean => since !== null && (report.occurredAt ?? report.receivedAt) < since;
      const expired = reports.filter(isOld).map(({ webhookId }) => webhookId);
      const kept = expired.length === 0 ? reports : reports.filter((report) => !isOld(report));
      const erased: ErasedFromWebhook[] = [];
      if (!erasedIn) return { reports: kept, expired, erased };
      const found = (webhookId: string, { number, pseudonym }: Omit<ErasedFromWebhook, 'webhookId'>): void => {
        erased.push({ webhookId, number, pseudonym });
      };
      const keep = (party: string | undefined, webhookId: string): string | undefined => {
        const other = party === undefined ? null : erasedIn(accountId, party);
        if (!other) return party;
        found(webhookId, other);
        return other.party;
      };
      const keepText = (webhookId: string) => (given: string) => {
        const { text, erased: inText } = textIn(accountId, given);
        for (const one of inText) found(webhookId, one);
        return text;
      };
      const changed = reports.map((report) => {
        const from = keep(report.from, report.webhookId);
        const to = keep(report.to, report.webhookId);
        const text = keepText(report.webhookId);
        const [deliveryKey, verdict] = [text(report.deliveryKey), report.verdict && withCauses(report.verdict, text)];
        const isSame = from === report.from && to === report.to && deliveryKey === report.deliveryKey;
        return isSame && verdict === report.verdict ? report : { ...report, from, to, deliveryKey, verdict };
      });
      return { reports: erased.length === 0 ? kept : changed.filter((report) => !isOld(report)), expired, erased };
    },
    keepFacts(accountId, known) {
      const facts = ids?.isMeant(accountId) ? withDeliveryKeys(known, (key) => textIn(accountId, key).text) : known;
      const { from, to, verdict } = facts.registers;
      const kept = verdict && keepVerdict(accountId, verdict.value);
      const [erasedFrom, erasedTo] = [from, to].map((party) => (party && erasedIn?.(accountId, party.value)) ?? null);
      if (!erasedFrom && !erasedTo && kept === verdict?.value) return facts;
      const registers = {
        ...facts.registers,
        ...(from && erasedFrom && { from: { ...from, value: erasedFrom.party } }),
        ...(to && erasedTo && { to: { ...to, value: erasedTo.party } }),
        ...(verdict && kept && { verdict: { ...verdict, value: kept } }),
      };
      return { ...facts, registers };
    },
  };
}
