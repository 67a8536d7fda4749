/** Makes a number unreadable in stored webhooks; the rows stay, and are understood as before, the number aside. */
import { createNumberEraser, type NumberEraser } from '../../lib/number-eraser.js';
import type { SqlRunner } from '../../platform/db/connect.js';
import type { ErasedFromWebhook } from '../calls/index.js';
import { erasedKeyOf } from './inbound-webhook.js';
import { settleOutcomes } from './inbox.repository.js';

interface StoredTexts {
  readonly id: string;
  readonly delivery_key: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly detail: string | null;
  readonly event_type: string | null;
  readonly wait_keys: readonly string[] | null;
  readonly leg_keys: readonly string[] | null;
}

/** What late webhooks say that the account has had erased; their rows are locked by the caller's batch. */
export async function eraseFromWebhooks(tx: SqlRunner, erased: readonly ErasedFromWebhook[]): Promise<void> {
  const byNumber = new Map<string, { readonly eraser: NumberEraser; readonly ids: string[] }>();
  for (const { webhookId, number, pseudonym } of erased) {
    // Of another account the same number has another pseudonym.
    const name = `${number} ${pseudonym}`;
    const known = byNumber.get(name) ?? { eraser: createNumberEraser(number, pseudonym), ids: [] };
    byNumber.set(name, known);
    known.ids.push(webhookId);
  }
  for (const { eraser, ids } of byNumber.values()) await eraseNumber(tx, ids, eraser);
}

async function eraseNumber(tx: SqlRunner, ids: readonly string[], eraser: NumberEraser): Promise<number> {
  if (ids.length === 0) return 0;
  await settleOutcomes(tx, ids);
  const { rows } = await tx.raw<{ rows: StoredTexts[] }>(
    `select id, delivery_key, path, headers, body, detail, event_type, wait_keys, leg_keys from inbound_webhooks
     where id = any(?::uuid[]) order by id for update`,
    [[...ids]],
  );
  const changed = rows.flatMap((row) => {
    const erased = withoutNumber(row, eraser);
    const isSame = erased.body.equals(row.body) && JSON.stringify(textsOf(erased)) === JSON.stringify(textsOf(row));
    return isSame ? [] : [{ ...textsOf(erased), body: erased.body.toString('base64') }];
  });
  if (changed.length === 0) return 0;
  await tx.raw(
    `update inbound_webhooks w set delivery_key = e.delivery_key, path = e.path, headers = e.headers,
       body = decode(e.body, 'base64'), detail = e.detail, event_type = e.event_type,
       wait_keys = e.wait_keys, leg_keys = e.leg_keys
     from jsonb_to_recordset(?::jsonb) as e (id uuid, delivery_key text, path text, headers jsonb, body text,
       detail text, event_type text, wait_keys text[], leg_keys text[])
     where w.id = e.id`,
    [JSON.stringify(changed)],
  );
  return changed.length;
}

const textsOf = ({ body, ...texts }: StoredTexts) => texts;

function withoutNumber(row: StoredTexts, eraser: NumberEraser): StoredTexts {
  const { text } = eraser;
  return {
    id: row.id,
    delivery_key: erasedKeyOf(row, text),
    path: text(row.path),
    headers: Object.fromEntries(Object.entries(row.headers).map(([name, value]) => [name, text(value)])),
    body: eraseInBody(row.body, eraser),
    detail: row.detail === null ? null : text(row.detail),
    event_type: row.event_type === null ? null : text(row.event_type),
    wait_keys: row.wait_keys?.map((key) => keyWithout(key, eraser)) ?? null,
    leg_keys: row.leg_keys?.map((key) => keyWithout(key, eraser)) ?? null,
  };
}

/** `number:…`; the carrier's id in `leg:…:…` and `session:…:…` is ours, and stays. */
function keyWithout(key: string, { text }: NumberEraser): string {
  const [whole, kind = '', id = ''] = /^((?:leg|session):[0-9a-f-]{36}:)(.*)$/s.exec(key) ?? [];
  return whole === undefined ? text(key) : `${kind}${text(id)}`;
}

/** Byte by byte, so that what is no UTF-8 stays as it is. */
function eraseInBody(body: Buffer, eraser: NumberEraser): Buffer {
  const given = body.toString('latin1');
  const erased = /^\s*[[{]/.test(given) ? eraser.json(given) : eraser.text(given);
  return erased === given ? body : Buffer.from(erased, 'latin1');
}

/** A place among an account's webhooks, newest first. */
export interface ErasurePlace {
  readonly at: string;
  readonly id: string;
}

export interface ErasureQuestion {
  readonly accountId: string;
  readonly eraser: NumberEraser;
  readonly after: ErasurePlace | null;
  readonly limit: number;
}

export interface ErasureProgress {
  readonly changed: number;
  /** Null: that was all. */
  readonly next: ErasurePlace | null;
}

/** The next of the account's webhooks, newest first. */
export async function eraseNextWebhooks(tx: SqlRunner, question: ErasureQuestion): Promise<ErasureProgress> {
  const { accountId, eraser, after, limit } = question;
  const { rows } = await tx.raw<{ rows: { id: string; at: string; hit: boolean }[] }>(
    `select w.id, w.received_at::text as at,
       strpos(translate(regexp_replace(concat_ws(' ', encode(w.body, 'escape'), w.delivery_key, w.path, w.headers::text,
         w.detail, w.event_type, w.wait_keys::text, w.leg_keys::text), '%[0-9A-Fa-f]{2}|\\\\+u[0-9A-Fa-f]{4}', '', 'g'), ' .-()/+\\', ''), ?) > 0 as hit
     from seen_webhooks w
     where w.account_id = ? and (w.received_at, w.id) < (?::timestamptz, ?::uuid)
     order by w.received_at desc, w.id desc limit ?`,
    [eraser.ending, accountId, after?.at ?? 'infinity', after?.id ?? LAST_ID, limit],
  );
  const hits = rows.filter(({ hit }) => hit).map(({ id }) => id);
  const last = rows.at(-1);
  return {
    changed: await eraseNumber(tx, hits, eraser),
    next: rows.length < limit || !last ? null : { at: last.at, id: last.id },
  };
}

const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';
