import { expect } from 'chai';
import pg from 'pg';
import { newId } from '../../../src/lib/ids.js';
import { createTestDatabase } from '../../support/database.js';

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
});
