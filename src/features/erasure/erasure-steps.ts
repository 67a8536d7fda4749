/** The steps of an erasure: each goes on behind a place, one page in a transaction. */
import type { NumberEraser } from '../../lib/number-eraser.js';
import type { Db } from '../../platform/db/connect.js';
import { blankDetails } from '../audit/index.js';
import { type CallFacts, type Register, withCauses, withDeliveryKeys } from '../calls/index.js';
import { eraseNextWebhooks } from '../ingestion/index.js';
import { eraseInCallIds } from './erase-call-ids.js';
import type { ErasureStep } from './erasure.js';
import {
  type Candidate,
  LAST_ID,
  PAGE,
  type Place,
  SIGNS,
  type StepProgress,
  type StepQuestion,
} from './erasure-step.js';

function pageOf(rows: readonly Candidate[]) {
  const last = rows.at(-1);
  return {
    hits: rows.filter(({ hit }) => hit).map(({ id }) => id),
    next: rows.length < PAGE || !last ? null : { at: last.at, id: last.id },
  };
}

const CALL_TEXTS = ['caller_number', 'called_number', 'hangup_cause', 'provider_cause', 'note'] as const;

interface CallTexts extends Readonly<Record<(typeof CALL_TEXTS)[number], string | null>> {
  readonly id: string;
  readonly tags: readonly string[];
  readonly facts: CallFacts;
}

async function eraseInCalls(tx: Db, { accountId, eraser, place }: StepQuestion): Promise<StepProgress> {
  const after = place as Place | null;
  const { rows } = await tx.raw<{ rows: Candidate[] }>(
    `select c.id, c.started_at::text as at, strpos(translate(
       concat_ws(' ', c.caller_number, c.called_number, c.hangup_cause, c.provider_cause, c.note, c.tags::text,
         regexp_replace(c.facts::text, '%[0-9A-Fa-f]{2}', '', 'g')), ?, ''), ?) > 0 as hit
     from call_logs c where c.account_id = ? and (c.started_at, c.id) < (?::timestamptz, ?::uuid)
     order by c.started_at desc, c.id desc limit ?`,
    [SIGNS, eraser.ending, accountId, after?.at ?? 'infinity', after?.id ?? LAST_ID, PAGE],
  );
  const { hits, next } = pageOf(rows);
  if (hits.length > 0) {
    await rewriteCalls(tx, hits, eraser);
    await blankDetails(tx, accountId, hits);
  }
  return { table: 'call_logs', changed: hits.length, next };
}

async function rewriteCalls(tx: Db, ids: readonly string[], eraser: NumberEraser): Promise<void> {
  const { rows } = await tx.raw<{ rows: CallTexts[] }>(
    `select id, tags, facts, ${CALL_TEXTS.join(', ')} from call_logs where id = any(?::uuid[]) order by id for update`,
    [[...ids]],
  );
  await tx.raw(
    `update call_logs c set caller_number = e.caller_number, called_number = e.called_number,
       hangup_cause = e.hangup_cause, provider_cause = e.provider_cause, note = e.note, tags = e.tags, facts = e.facts
     from jsonb_to_recordset(?::jsonb) as e (id uuid, caller_number text, called_number text, hangup_cause text,
       provider_cause text, note text, tags text[], facts json) where c.id = e.id`,
    [JSON.stringify(rows.map((row) => callWithout(row, eraser)))],
  );
}

function callWithout({ id, tags, facts: known, ...texts }: CallTexts, { text }: NumberEraser): CallTexts {
  const facts = withDeliveryKeys({ ...known, registers: known.registers ?? {} }, text);
  const { from, to, verdict, ...registers } = facts.registers;
  const without = (register: Register<string>) => ({ ...register, value: text(register.value) });
  const erased = {
    ...registers,
    ...(from && { from: without(from) }),
    ...(to && { to: without(to) }),
    ...(verdict && { verdict: { ...verdict, value: withCauses(verdict.value, text) } }),
  };
  const causes = withCauses({ hangupCause: texts.hangup_cause, providerCause: texts.provider_cause }, text);
  return {
    id,
    tags: tags.map(text),
    // Parties, causes and delivery keys alone: ids are renamed wherever they are told.
    facts: { ...facts, registers: erased },
    hangup_cause: causes.hangupCause,
    provider_cause: causes.providerCause,
    caller_number: orNull(texts.caller_number, text),
    called_number: orNull(texts.called_number, text),
    note: orNull(texts.note, text),
  };
}

const orNull = (given: string | null, change: (text: string) => string): string | null =>
  given === null ? null : change(given);

/** Who changed a note when: the notes as they were. */
async function eraseInCallChanges(tx: Db, { accountId, eraser }: StepQuestion): Promise<StepProgress> {
  const { rows } = await tx.raw<{ rows: { id: string; changes: string }[] }>(
    `select id, changes::text as changes from call_log_changes
     where account_id = ? and strpos(translate(changes::text, ?, ''), ?) > 0 order by id for update`,
    [accountId, SIGNS, eraser.ending],
  );
  const erased = rows.map(({ id, changes }) => ({ id, changes: JSON.parse(eraser.json(changes)) as unknown }));
  await tx.raw(
    `update call_log_changes c set changes = e.changes from jsonb_to_recordset(?::jsonb) as e (id uuid, changes jsonb)
     where c.id = e.id`,
    [JSON.stringify(erased)],
  );
  return { table: 'call_log_changes', changed: rows.length, next: null };
}

interface EventTexts {
  readonly seq: number;
  readonly payload: string | null;
  readonly before: string | null;
}

async function eraseInEvents(tx: Db, { accountId, eraser, place }: StepQuestion): Promise<StepProgress> {
  const { rows } = await tx.raw<{ rows: EventTexts[] }>(
    `select seq, case when hit then payload::text end as payload, case when hit then before::text end as before
     from (select seq, payload, before,
         strpos(translate(concat_ws(' ', payload::text, before::text), ?, ''), ?) > 0 as hit
       from events where account_id = ? and seq > ? and type like 'call.%' order by seq limit ?) e order by seq`,
    [SIGNS, eraser.ending, accountId, (place as number | null) ?? 0, PAGE],
  );
  const erased = rows.flatMap(({ seq, payload, before }) =>
    payload === null ? [] : [{ seq, payload: eraser.json(payload), before: before && eraser.json(before) }],
  );
  await tx.raw(
    `update events v set payload = e.payload::jsonb, before = e.before::jsonb
     from jsonb_to_recordset(?::jsonb) as e (seq bigint, payload text, before text)
     where v.account_id = ? and v.seq = e.seq`,
    [JSON.stringify(erased), accountId],
  );
  return { table: 'events', changed: erased.length, next: rows.length < PAGE ? null : (rows.at(-1)?.seq ?? null) };
}

async function eraseInWebhooks(tx: Db, { accountId, eraser, place }: StepQuestion): Promise<StepProgress> {
  const question = { accountId, eraser, after: place as Place | null, limit: PAGE };
  return { table: 'inbound_webhooks', ...(await eraseNextWebhooks(tx, question)) };
}

export const STEPS: Readonly<Record<ErasureStep, (tx: Db, question: StepQuestion) => Promise<StepProgress>>> = {
  calls: eraseInCalls,
  call_ids: eraseInCallIds,
  call_changes: eraseInCallChanges,
  events: eraseInEvents,
  webhooks: eraseInWebhooks,
};
