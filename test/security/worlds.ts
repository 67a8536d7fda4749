import { createHash } from 'node:crypto';
import { API_KEY_SCOPES } from '../../src/http/actor.js';
import { claimNumber, deliver, drained, genericCall, openLine } from '../features/ingestion/lines.js';
import type { Person, TestSystem } from '../support/system.js';
import { until } from '../support/until.js';

/** An account with one of everything. */
export interface World {
  readonly admin: Person;
  readonly member: Person;
  /** By the collection in the path. */
  readonly ids: Readonly<Record<string, string>>;
  /** Everything by which its things are known outside. */
  readonly marks: readonly string[];
}

const ok = <A extends { status: number; body: { id: string } }>(what: string, answer: A): string => {
  if (answer.status > 299) throw new Error(`${what}: ${answer.status} ${JSON.stringify(answer.body)}`);
  return answer.body.id;
};

export async function makeWorld(system: TestSystem, number: string): Promise<World> {
  const admin = await system.createAdmin();
  const member = await system.createMember(admin);
  const post = (path: string, body: unknown) => system.ask('POST', path, { token: admin.token, body });

  const line = await openLine(system, admin, 'generic');
  const numberId = await claimNumber(system, admin, number);
  await deliver(system, line, genericCall({ type: 'call.initiated', call_id: `call-${number}`, to: number }));
  await drained(system);
  const [call] = (await system.ask('GET', '/api/call_logs/', { token: admin.token })).body;
  const [webhook] = (await system.ask('GET', '/api/inbound_webhooks/', { token: admin.token })).body;
  const keyId = ok('key', await post('/api/api_keys/', { name: 'a key', scopes: ['numbers:read'] }));
  const order = { phone_numbers: [`${number}9`], losing_carrier: 'Old Telecom', subscriber: { name: 'Jane' } };
  const orderId = ok('port order', await post('/api/port_orders/', order));
  const documentId = ok('document', await upload(system, admin, orderId));
  const erasureId = ok('erasure', await post('/api/erasures/', { phone_number: `${number.slice(0, -2)}77` }));
  await until(
    'the erasure is done',
    () => system.db('erasures').where({ id: erasureId, status: 'done' }).first(),
    20_000,
  );

  const ids = {
    accounts: admin.accountId,
    users: member.userId,
    api_keys: keyId,
    virtual_numbers: numberId,
    carriers: line.id,
    inbound_webhooks: webhook.id,
    call_logs: call.id,
    port_orders: orderId,
    document_id: documentId,
    erasures: erasureId,
  };
  return { admin, member, ids, marks: [...Object.values(ids), admin.userId, number, admin.username] };
}

function upload(system: TestSystem, { token }: Person, orderId: string) {
  const body = new FormData();
  body.set('kind', 'loa');
  body.set('file', new Blob(['%PDF-1.7\n%%EOF\n'], { type: 'application/pdf' }), 'loa.pdf');
  return system.ask('POST', `/api/port_orders/${orderId}/documents/`, { token, body });
}

export async function makeKey(system: TestSystem, admin: Person, scopes: readonly string[] = API_KEY_SCOPES) {
  const made = await system.ask('POST', '/api/api_keys/', { token: admin.token, body: { name: 'walker', scopes } });
  ok('key', made);
  return made.body.key as string;
}

/** What moves without anybody's doing, or holds what the walk itself is told by. */
const RESTLESS = new Set([
  'audit_log',
  'audit_intents',
  'token_families',
  'token_nodes',
  'rate_limits',
  'carrier_activity',
]);

/** Of every table, what is in it: two that are equal mean that nothing changed. */
export async function fingerprints(system: TestSystem): Promise<Record<string, string>> {
  const { rows } = await system.db.raw<{ rows: { name: string }[] }>(
    `select table_name as name from information_schema.tables
     where table_schema = 'public' and table_type = 'BASE TABLE' order by 1`,
  );
  const found: Record<string, string> = {};
  for (const { name } of rows) {
    if (RESTLESS.has(name) || name.startsWith('knex')) continue;
    const content = await system.db.raw<{ rows: { row: string }[] }>(
      `select (to_jsonb(t) - 'last_used_at')::text as row from ?? t order by 1`,
      [name],
    );
    const hash = createHash('sha256');
    for (const { row } of content.rows) hash.update(row);
    found[name] = `${content.rows.length} rows ${hash.digest('hex').slice(0, 12)}`;
  }
  return found;
}
