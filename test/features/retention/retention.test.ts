import { expect } from 'chai';
import { type Person, startSystem, type TestSystem } from '../../support/system.js';
import { callRow, insertCalls } from '../calls/call-rows.js';
import { claimNumber, deliver, drained, genericCall, type Line, openLine } from '../ingestion/lines.js';

const DAY = 86_400_000;
const PATH = '/api/retention/';

let numbers = 0;
const newNumber = (): string => {
  numbers += 1;
  return `+1202555${String(1000 + numbers)}`;
};

describe('retention', function () {
  this.timeout(30_000);
  let system: TestSystem;

  before(async () => {
    // Without the role worker: the test itself sweeps and drains.
    system = await startSystem({ env: { ROLES: 'api,live' } });
  });
  after(() => system.stop());

  async function setUp(): Promise<{ admin: Person; line: Line; number: string }> {
    const admin = await system.createAdmin();
    const number = newNumber();
    await claimNumber(system, admin, number);
    return { admin, number, line: await openLine(system, admin, 'generic') };
  }

  const keep = (admin: Person, body: unknown) => system.ask('PATCH', PATH, { token: admin.token, body });
  const ago = (days: number): string => new Date(Date.now() - days * DAY).toISOString();

  async function tell(line: Line, members: Readonly<Record<string, unknown>>): Promise<void> {
    expect(await deliver(system, line, genericCall(members))).to.equal(204);
    await drained(system);
  }

  async function listed(admin: Person, path: string) {
    const { status, body } = await system.ask('GET', path, { token: admin.token });
    expect(status).to.equal(200);
    return body;
  }

  it('is read and changed by admins, and says what the installation keeps', async () => {
    const { admin } = await setUp();
    const member = await system.createMember(admin);

    const { body } = await keep(admin, { call_retention_days: 30, event_retention_days: 7 });

    expect(body).to.include({ call_retention_days: 30, event_retention_days: 7, webhook_retention_days: null });
    expect(body.installation).to.have.all.keys('event_retention_seconds', 'webhook_retention_seconds');
    expect(await listed(admin, PATH)).to.deep.equal(body);
    expect((await system.ask('GET', PATH, { token: member.token })).status).to.equal(403);
    expect((await keep(admin, { call_retention_days: 0 })).body.call_retention_days).to.be.an('array');
    expect((await keep(admin, { days: 5 })).body.days).to.be.an('array');
    expect((await keep(admin, { call_retention_days: null })).body.call_retention_days).to.equal(null);
  });

  it('passes over what is older than the account keeps call logs, also when it is replayed', async () => {
    const { admin, line, number } = await setUp();
    await keep(admin, { call_retention_days: 30 });

    await tell(line, { type: 'call.ringing', call_id: 'old', to: number, occurred_at: ago(31) });
    const [webhook] = await listed(admin, '/api/inbound_webhooks/');
    await system.ask('POST', `/api/inbound_webhooks/${webhook.id}/replay/`, { token: admin.token });
    await drained(system);

    expect(webhook).to.include({ status: 'ignored', code: 'expired', call_log_id: null });
    expect((await listed(admin, '/api/inbound_webhooks/'))[0]).to.include({ status: 'ignored', code: 'expired' });
    expect(await listed(admin, '/api/call_logs/')).to.deep.equal([]);
    expect(await listed(admin, '/api/events/?after=0')).to.not.deep.include({ type: 'call.ringing' });
  });

  it('passes over an old fact of a call that is there, and records what is new', async () => {
    const { admin, line, number } = await setUp();
    await tell(line, { type: 'call.ringing', call_id: 'long', to: number, occurred_at: ago(29) });
    await keep(admin, { call_retention_days: 30 });

    await tell(line, { type: 'call.initiated', call_id: 'long', to: number, occurred_at: ago(31) });
    await tell(line, { type: 'call.answered', call_id: 'long', to: number, occurred_at: ago(28) });

    const [call] = await listed(admin, '/api/call_logs/');
    const codes = (await listed(admin, '/api/inbound_webhooks/')).map(({ code }: { code: string | null }) => code);
    expect(call.status).to.equal('answered');
    expect(call.started_at).to.equal(call.ringing_at);
    expect(codes).to.deep.equal([null, 'expired', null]);
  });

  it('records what is old where the account keeps call logs for ever', async () => {
    const { admin, line, number } = await setUp();

    await tell(line, { type: 'call.ringing', call_id: 'ancient', to: number, occurred_at: ago(4000) });

    expect(await listed(admin, '/api/call_logs/')).to.have.lengthOf(1);
  });

  it('deletes the calls that are older, with their timelines and tags, and no others', async () => {
    const [mine, other] = [await setUp(), await setUp()];
    await keep(mine.admin, { call_retention_days: 30 });
    const call = (person: Person, days: number, more: Readonly<Record<string, unknown>> = {}) =>
      callRow({ account_id: person.accountId, started_at: new Date(ago(days)), tags: ['vip'], ...more });
    const kept = [
      call(mine.admin, 29),
      call(mine.admin, 31, { ended_at: new Date(ago(29)) }),
      call(mine.admin, 31, { status: 'answered', disposition: null, ended_at: null }),
      call(other.admin, 4000),
    ];
    await insertCalls(system.db, [...kept, ...Array.from({ length: 1200 }, (_, i) => call(mine.admin, 31 + i / 10))]);

    expect(await system.system.features.retention.sweep()).to.equal(1200);

    const left = await system.db('call_logs').whereIn('account_id', [mine.admin.accountId, other.admin.accountId]);
    const tagged = await system.db('call_log_tags').where({ account_id: mine.admin.accountId });
    expect(left.map(({ id }) => id).sort()).to.deep.equal(kept.map(({ id }) => id).sort());
    expect(tagged).to.have.lengthOf(3);
  });

  it('leaves a call to whoever holds it, and takes it the next time', async () => {
    const { admin } = await setUp();
    await keep(admin, { call_retention_days: 1 });
    const row = callRow({ account_id: admin.accountId, started_at: new Date(ago(2)) });
    await insertCalls(system.db, [row]);

    await system.db.transaction(async (tx) => {
      await tx.raw('select 1 from call_logs where id = ? for update', [row.id]);
      expect(await system.system.features.retention.sweep()).to.equal(0);
    });

    expect(await system.system.features.retention.sweep()).to.equal(1);
  });
});
