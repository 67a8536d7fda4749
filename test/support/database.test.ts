import { expect } from 'chai';
import pg from 'pg';
import { createTestDatabase } from './database.js';

describe('a database for tests', () => {
  it('comes back empty and counts from one again, whatever was left in it', async () => {
    const first = await createTestDatabase();
    await ask(
      first.url,
      `insert into accounts (id, name, created_at, updated_at)
         select gen_random_uuid(), 'left', now(), now() from generate_series(1, 2000)`,
      `insert into account_counters (account_id) select id from accounts limit 10`,
      `insert into audit_log (id, account_id, action, outcome, actor_type, object_type)
         select gen_random_uuid(), id, 'left', 'succeeded', 'system', 'account' from accounts limit 10`,
      `select nextval('bullmq.job_seq')`,
    );
    const was = await ask(first.url, 'select id from installation');
    await first.drop();

    const second = await createTestDatabase();
    const left = await ask(
      second.url,
      `select (select count(*) from accounts)::int + (select count(*) from account_counters)::int
              + (select count(*) from audit_log)::int as rows, nextval('bullmq.job_seq')::int as next`,
    );
    const is = await ask(second.url, 'select id from installation');
    await second.drop();

    expect(second.url).to.equal(first.url);
    expect(left).to.deep.equal([{ rows: 0, next: 1 }]);
    expect(is).to.not.deep.equal(was);
  });

  it('is not used again when its schema was changed, or while somebody is connected', async () => {
    const changed = await createTestDatabase();
    await ask(changed.url, 'drop trigger audit_log_stays on audit_log');
    await changed.drop();
    const held = await createTestDatabase();
    const client = new pg.Client({ connectionString: held.url });
    client.on('error', () => undefined);
    await client.connect();
    await held.drop();
    await client.end();

    const next = await createTestDatabase();
    await next.drop();

    expect(new Set([changed.url, held.url, next.url]).size).to.equal(3);
  });

  async function ask(url: string, ...statements: readonly string[]): Promise<unknown[]> {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      let rows: unknown[] = [];
      for (const statement of statements) ({ rows } = await client.query(statement));
      return rows;
    } finally {
      await client.end();
    }
  }
});
