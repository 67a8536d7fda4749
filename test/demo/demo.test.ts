import { expect } from 'chai';
import { fillAccount } from '../../src/demo/fill.js';
import { readOptions } from '../../src/demo/options.js';
import { inventNumber } from '../../src/demo/people.js';
import { setScene } from '../../src/demo/scene.js';
import { buildRecord } from '../../src/features/calls/index.js';
import { countryOf } from '../../src/lib/e164.js';
import { createRandom } from '../../src/simulator/random.js';
import { deliver, drained, genericCall } from '../features/ingestion/lines.js';
import { SIGNERS } from '../features/ingestion/signing.js';
import { startSystem, type TestSystem } from '../support/system.js';

describe('demo data', function () {
  this.timeout(60_000);
  let system: TestSystem;

  before(async () => {
    system = await startSystem({ env: { ROLES: 'api,live' } });
  });
  after(() => system.stop());

  async function seed(...args: readonly string[]) {
    const options = readOptions(args);
    if (!options) throw new Error('Help was asked for.');
    const random = createRandom('test', options.account);
    const scene = await setScene(system.system, options, random);
    const now = Date.now();
    const deps = { db: system.db, now, run: String(random.next()), progress: () => undefined };
    const written = await fillAccount(scene, options, deps);
    const { body } = scene.login
      ? await system.ask('POST', '/api/token/', { body: scene.login })
      : { body: { access: '' } };
    return { ...scene, options, now, written, token: body.access as string };
  }

  it('is of the size that was asked for, and looks like an office', async () => {
    const { accountId, token, written } = await seed('--calls', '1500', '--account', 'Office');

    const report = await system.ask('GET', '/api/reports/calls/?group_by=week', { token });

    const { totals, rows } = report.body;
    const { rows: days } = await system.db.raw(
      `select extract(isodow from started_at) as day, count(*) as count from call_logs where account_id = ?
       group by 1 order by 1`,
      [accountId],
    );
    const [{ repeats }] = (
      await system.db.raw(
        `select count(*) as repeats from (select 1 from call_logs where account_id = ? and direction = 'incoming'
           group by caller_number having count(*) > 2) r`,
        [accountId],
      )
    ).rows;
    expect([written, totals.calls]).to.deep.equal([1500, 1500]);
    expect(totals.missed).to.be.within(150, 600);
    expect(rows.length).to.be.within(50, 54);
    expect(days[0].count).to.be.above(3 * days[6].count);
    expect(repeats).to.be.above(20);
    expect((await system.ask('GET', '/api/virtual_numbers/', { token })).body).to.have.lengthOf(12);
    expect((await system.ask('GET', '/api/users/', { token })).body).to.have.lengthOf(7);
    expect((await system.ask('GET', '/api/call_logs/?tag=vip', { token })).body).to.not.have.lengthOf(0);
  });

  it('holds records that are the view of their facts', async () => {
    const { accountId } = await seed('--calls', '300', '--account', 'Facts');
    const rows = await system.db('call_logs').where({ account_id: accountId });

    for (const row of rows) {
      const { facts, country, ...base } = row;
      const built = buildRecord({ base: { ...base, caller_number: '', called_number: '' }, facts, reports: [] });

      expect({ ...built, country }).to.deep.equal(row);
      expect(row.timeline.map(({ type }: { type: string }) => type).at(-1)).to.equal('call.ended');
      expect(country).to.equal(countryOf(row.direction === 'incoming' ? row.caller_number : row.called_number));
    }
  });

  it('lets later webhooks join the calls that are there', async () => {
    const { accountId, token } = await seed('--calls', '100', '--account', 'Late');
    const call = await system.db('call_logs').where({ account_id: accountId, provider: 'generic' }).first();
    const signer = SIGNERS.generic?.();
    if (!signer) throw new Error('Nothing signs.');
    const credentials = { token, body: { credentials: signer.credentials } };
    expect((await system.ask('PATCH', `/api/carriers/${call.carrier_id}/`, credentials)).status).to.equal(200);
    const members = { from: call.caller_number, to: call.called_number, direction: call.direction };

    const told = { type: 'call.updated', call_id: call.carrier_call_id, price: '0.5', currency: 'EUR', ...members };
    await deliver(system, { id: call.carrier_id, provider: 'generic', signer }, genericCall(told));
    await drained(system);

    const after = await system.ask('GET', `/api/call_logs/${call.id}/`, { token });
    const timeline = await system.ask('GET', `/api/call_logs/${call.id}/events/`, { token });
    expect(after.body).to.include({ price: '0.5', disposition: call.disposition });
    expect(timeline.body.map(({ type }: { type: string }) => type)).to.include.members(['call.ended', 'call.updated']);
    expect(await system.db('call_logs').where({ account_id: accountId })).to.have.lengthOf(100);
  });

  it('adds to an account that is there, whose events stay in sight', async () => {
    const first = await seed('--calls', '50', '--account', 'Twice');
    await system.db.raw(
      `insert into events (account_id, seq, type, occurred_at, received_at, payload)
       select ?, seq + 1, 'call.ended', now(), now(), '{}' from account_counters where account_id = ?`,
      [first.accountId, first.accountId],
    );
    await system.db('account_counters').where({ account_id: first.accountId }).increment('seq', 1);

    const second = await seed('--calls', '60', '--account', 'Twice');

    const counter = await system.db('account_counters').where({ account_id: first.accountId }).first();
    expect([second.accountId, second.login]).to.deep.equal([first.accountId, null]);
    expect(second.numbers.map(({ id }) => id)).to.deep.equal(first.numbers.map(({ id }) => id));
    expect(await system.db('call_logs').where({ account_id: first.accountId })).to.have.lengthOf(110);
    expect(counter.pruned_seq).to.be.below(counter.seq);
  });

  it('takes numbers of fiction whose country the metadata know', () => {
    const random = createRandom('numbers');

    const countries = new Set(Array.from({ length: 500 }, () => countryOf(inventNumber(random))));

    expect([...countries].sort()).to.deep.equal(['DE', 'FR', 'GB', 'US']);
  });

  it('says what is wrong on the command line', () => {
    for (const args of [
      ['--calls', '0'],
      ['--calls', 'many'],
      ['--timezone', 'Mars'],
      ['--colour', 'red'],
      ['--account', ' '],
    ]) {
      expect(() => readOptions(args), args.join(' ')).to.throw(/--|Unknown/);
    }
    expect(readOptions(['--help'])).to.equal(null);
  });
});
