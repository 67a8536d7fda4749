import { expect } from 'chai';
import pg from 'pg';
import { type CallRecord, writeCalls } from '../../../src/features/calls/calls.repository.js';
import { insertEvents } from '../../../src/features/events/events.repository.js';
import { newId } from '../../../src/lib/ids.js';
import { createTestDatabase } from '../../support/database.js';
import { callRow } from '../calls/call-rows.js';

describe('what a lone webhook asks of the database', () => {
  const id = newId();
  const CALLS: readonly [string, readonly unknown[]][] = [
    ['lock_families($1::uuid[], $2::text[], $3::uuid[], $4::text[])', [[id], ['call'], [], []]],
    [
      'load_families($1::uuid[], $2::text[], $3::uuid[], $4::text[], $5::uuid[], $6::text[])',
      [[id], ['call'], [], [], [], []],
    ],
    ['take_up_webhooks($1::text[], $2::text[], $3::uuid[])', [['leg:call'], ['unknown_call'], [id]]],
    ['raise_counters($1::uuid[], $2::int[])', [[id], [1]]],
  ];
  for (const [call, values] of CALLS) {
    it(`is not planned anew each time: ${call.slice(0, call.indexOf('('))}`, async () => {
      const database = await createTestDatabase();
      const client = new pg.Client({ connectionString: database.url });
      await client.connect();
      await client.query(`load 'auto_explain'; set auto_explain.log_nested_statements = on;
        set auto_explain.log_verbose = on; set auto_explain.log_min_duration = 0; set client_min_messages = log`);
      let plan = '';
      client.on('notice', ({ message = '' }) => {
        if (/unnest|any\(/i.test(message) && !message.includes(`from ${call}`)) plan = message;
      });

      for (let time = 0; time < 12; time += 1)
        await client.query({ name: 'asked', text: `select * from ${call}`, values: [...values] });

      // A kept plan speaks of parameters, one made for this call of what it was called with.
      expect(plan).to.match(/(Function Call: unnest\(|ANY \()\$1/);
      await client.end();
      await database.drop();
    });
  }

  it('nor is what a batch writes, however few its rows are', async () => {
    const database = await createTestDatabase();
    const client = new pg.Client({ connectionString: database.url });
    await client.connect();
    const accountId = newId();
    await client.query(`insert into accounts (id, name, created_at, updated_at) values ($1, 'a', now(), now())`, [
      accountId,
    ]);
    await client.query('insert into account_counters (account_id, seq) values ($1, 100)', [accountId]);

    for (let time = 0; time < 12; time += 1) {
      const row = callRow({ account_id: accountId, started_at: new Date() });
      const record = { ...row, session_id: null, parent_carrier_call_id: null, timeline: [] } as unknown as CallRecord;
      const moments = { occurred_at: row.started_at.toISOString(), received_at: row.started_at.toISOString() };
      const entry = { behind: time, type: 'call.ended', ...moments, inbound_webhook_id: null };
      const event = {
        ...{ accountId, type: 'call.ended' as const, subjectId: row.id, payload: {}, before: null, behind: time },
        ...{ occurredAt: Date.now(), receivedAt: Date.now() },
      };
      for (const { name, sql, bindings } of [
        ...writeCalls([record], new Map([[row.id, [entry]]])),
        ...insertEvents([event]),
      ]) {
        let place = 0;
        const text = sql.replaceAll('?', () => `$${++place}`);
        await client.query({ name: String(name), text, values: [...bindings] });
      }
    }

    const { rows } = await client.query<{ name: string; kept: boolean }>(
      `select name, generic_plans > 0 as kept from pg_prepared_statements order by name`,
    );
    expect(rows).to.deep.equal([
      { name: 'insert_events', kept: true },
      { name: 'upsert_call_logs', kept: true },
    ]);
    await client.end();
    await database.drop();
  });
});
