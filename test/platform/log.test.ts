import { expect } from 'chai';
import { connectDatabase } from '../../src/platform/db/connect.js';
import { createLogger } from '../../src/platform/log.js';
import { createTestDatabase } from '../support/database.js';
import { until } from '../support/until.js';

function listen() {
  const lines: string[] = [];
  return { lines, log: createLogger('info', { write: (line: string) => void lines.push(line) }) };
}

describe('the log', () => {
  it('tells of a refused statement what it was and why, and nothing of the row', async () => {
    const { lines, log } = listen();
    const database = await createTestDatabase();
    const db = connectDatabase(database.url, 2, log);
    await db.raw('create table things (phone_number text unique, password_hash text not null)');
    const row = { phone_number: '+12025550123', password_hash: 'a hash' };
    await db('things').insert(row);

    const twice = await db('things')
      .insert(row)
      .catch((error: Error) => error);
    const without = await db('things')
      .insert({ phone_number: '+12025550199' })
      .catch((error: Error) => error);
    for (const err of [twice, without]) log.error({ err }, 'request failed');
    await db.destroy();
    await database.drop();

    expect(lines).to.have.lengthOf(2);
    expect(lines.join('')).to.not.match(/2025550|a hash/);
    const [first] = lines.map((line) => JSON.parse(line).err);
    expect(first).to.include({ code: '23505', constraint: 'things_phone_number_key', table: 'things' });
    expect(first.message).to.match(/^insert into "things" .* duplicate key value/);
  });

  it('keeps both ends of what an error says at length', () => {
    const { lines, log } = listen();

    log.error({ err: new Error(`select ${'?, '.repeat(1_000_000)}refused`) }, 'request failed');

    const { message, stack } = JSON.parse(lines[0] ?? '').err;
    expect(lines[0]).to.have.length.below(20_000);
    expect(message).to.match(/^select \?, .*, refused$/);
    expect(stack).to.contain('log.test.ts');
  });

  it('is told by Knex of a database connection that was lost, in a line of its own', async () => {
    const { lines, log } = listen();
    const database = await createTestDatabase();
    const [db, other] = [connectDatabase(database.url, 1, log), connectDatabase(database.url, 1, log)];
    const { rows } = await db.raw<{ rows: { pid: number }[] }>('select pg_backend_pid() as pid');

    await other.raw('select pg_terminate_backend(?, 5000)', [rows[0]?.pid ?? 0]);
    await until('it is told', async () => {
      await db.raw('select 1').catch(() => undefined);
      return lines.length > 0;
    });
    await Promise.all([db.destroy(), other.destroy()]);
    await database.drop();

    const told = JSON.parse(lines[0] ?? '');
    expect(told).to.include({ level: 'warn', msg: 'database connection' });
    // The server's last words, where Knex looks between them and the end.
    expect(told.err).to.match(
      /^Connection Error: (Connection ended unexpectedly|error: terminating connection due to administrator command)$/,
    );
  });

  it('tells nothing of the message that a store refused', () => {
    const { lines, log } = listen();
    const refusal = Object.assign(new Error('OOM'), { command: { name: 'publish', args: ['+12025550123'] } });

    log.warn({ err: refusal }, 'wake-ups');
    log.warn({ err: new AggregateError([refusal], 'all of them') }, 'wake-ups');
    log.warn({ err: new Error('not sent', { cause: refusal }) }, 'wake-ups');

    expect(lines.join('')).to.not.include('2025550123');
    const [one, many, caused] = lines.map((line) => JSON.parse(line).err.message);
    expect([one, many, caused]).to.deep.equal(['OOM', 'all of them', 'not sent: OOM']);
  });

  it('tells what was thrown that is no error', () => {
    const { lines, log } = listen();

    log.error({ err: 'a text' }, 'unhandled rejection');

    expect(JSON.parse(lines[0] ?? '').err).to.equal('a text');
  });
});
