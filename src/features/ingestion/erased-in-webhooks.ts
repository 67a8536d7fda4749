/**
 * What of webhooks must become unreadable: erased numbers wherever they stand, also where nothing is read (in a note, a
 * header, an event that is ignored). Their whole texts are held against what their accounts have had erased; for the
 * others no text is made.
 */
import { setImmediate as turn } from 'node:timers/promises';
import type { SqlRunner } from '../../platform/db/connect.js';
import {
  type CallIdRule,
  type ErasedFromWebhook,
  type ErasedInId,
  type FindErased,
  type RecordPlan,
  wholeOnes,
} from '../calls/index.js';
import type { ToldId } from './call-ids.js';
import { type PendingWebhook, toldKeyOf, type WebhookOutcome } from './inbound-webhook.js';

/** A webhook with what was made of it, and whose it is; `accountId` null: nobody's. */
export interface WorkedOff {
  readonly webhook: PendingWebhook;
  readonly outcome: Pick<WebhookOutcome, 'eventType' | 'detail'>;
  readonly accountId: string | null;
}

/** What a batch has found. */
export interface Findings {
  readonly webhooks: readonly WorkedOff[];
  readonly ids: readonly ToldId[];
  readonly plan: Pick<RecordPlan, 'erased' | 'placed'>;
}

interface Found extends ErasedInId {
  readonly webhookId: string;
}

/**
 * Those whose ids were not renamed yet stay as they came for the moment, so that they still name their call: the erasure
 * itself comes to them last. So do texts until then, for of an id that nobody could read it is not known whose it is.
 */
export async function erasedFrom(
  tx: SqlRunner,
  rule: CallIdRule | null,
  findings: Findings,
): Promise<ErasedFromWebhook[]> {
  const { erased, placed } = findings.plan;
  if (!rule) return [...erased];
  const search = rule.search();
  const inIds = findings.ids.flatMap(({ webhookId, carrier, id, legKey }): Found[] => {
    const accountId = placed.get(legKey)?.account_id ?? carrier.accountId;
    return accountId === null ? [] : search(accountId, id).map((one) => ({ ...one, webhookId }));
  });
  const inTexts = await findInTexts(rule, search, findings.webhooks);
  if (inIds.length === 0 && inTexts.length === 0) return eachOnce(erased);
  const stateOf = await rule.stateOf(tx, [...inIds, ...inTexts]);
  const isIn = (state: ReturnType<typeof stateOf>) => (one: Found) => stateOf(one) === state;
  const early = new Set(inIds.filter(isIn('ahead')).map(nameOf));
  // In ids that nobody renames it stays: a replay would not find the call.
  const inLeftIds = new Set(inIds.map(nameOf));
  return eachOnce([
    ...erased.filter((one) => !early.has(nameOf(one))),
    ...[...inIds, ...inTexts].filter(isIn('renamed')),
    ...inTexts.filter(isIn('left')).filter((one) => !inLeftIds.has(nameOf(one))),
  ]);
}

/** Of a webhook that cannot be worked off, and of whose ids nothing is known therefore. */
export async function erasedFromFailed(
  tx: SqlRunner,
  rule: CallIdRule | null,
  webhook: WorkedOff,
): Promise<ErasedFromWebhook[]> {
  const found = rule ? await findInTexts(rule, rule.search(), [webhook]) : [];
  if (!rule || found.length === 0) return [];
  const stateOf = await rule.stateOf(tx, found);
  return eachOnce(found.filter((one) => stateOf(one) === 'renamed'));
}

/** What else the process has to do waits no longer for it. */
const SLICE_MS = 10;

async function findInTexts(rule: CallIdRule, search: FindErased, webhooks: readonly WorkedOff[]): Promise<Found[]> {
  const found: Found[] = [];
  let began = performance.now();
  for (const worked of webhooks) {
    const { accountId, webhook } = worked;
    if (accountId === null || !rule.isMeant(accountId)) continue;
    for (const one of search(accountId, textOf(worked))) found.push({ ...one, webhookId: webhook.id });
    if (performance.now() - began < SLICE_MS) continue;
    await turn();
    began = performance.now();
  }
  return found;
}

/** All that is stored of it. No number goes on over the end of a line. */
function textOf({ webhook, outcome }: WorkedOff): string {
  const { path, headers, body } = webhook;
  const told = [outcome.detail, outcome.eventType].filter((text) => text !== null);
  return [toldKeyOf(webhook), path, ...Object.values(headers), ...told, body.toString('latin1')].join('\n');
}

type Named = Pick<ErasedFromWebhook, 'webhookId' | 'pseudonym'>;

const nameOf = ({ webhookId, pseudonym }: Named): string => `${webhookId} ${pseudonym}`;

function eachOnce(erased: readonly ErasedFromWebhook[]): ErasedFromWebhook[] {
  const byWebhook = new Map<string, Map<string, ErasedFromWebhook>>();
  for (const { webhookId, number, pseudonym } of erased) {
    const known = byWebhook.get(webhookId) ?? new Map<string, ErasedFromWebhook>();
    byWebhook.set(webhookId, known.set(`${number} ${pseudonym}`, { webhookId, number, pseudonym }));
  }
  return [...byWebhook.values()].flatMap((some) => wholeOnes([...some.values()]));
}
