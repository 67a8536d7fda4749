import { expect } from 'chai';
import { newId } from '../../../src/lib/ids.js';
import { type Person, startSystem, type TestSystem, unique } from '../../support/system.js';
import { until } from '../../support/until.js';
import { claimNumber, deliver, drained, genericCall, type Line, openLine } from './lines.js';

const NOW = Date.now();
const at = (seconds: number): string => new Date(NOW - 600_000 + seconds * 1000).toISOString();
let numbers = 0;
const freshNumber = (): string => {
  numbers += 1;
  return `+1202555${String(1000 + numbers)}`;
};

describe('the webhook inspector', function () {
  this.timeout(30_000);
  let system: TestSystem;
  before(async () => {
    system = await startSystem();
  });
  after(() => system.stop());

  const list = async (person: Person, query = '') =>
    (await system.ask('GET', `/api/inbound_webhooks/${query}`, { token: person.token })).body;
  const read = async (person: Person, id: string) =>
    system.ask('GET', `/api/inbound_webhooks/${id}/`, { token: person.token });
  const replay = async (person: Person, path: string, body?: unknown) =>
    system.ask('POST', `/api/inbound_webhooks/${path}`, { token: person.token, body });

  async function tell(line: Line, members: Readonly<Record<string, unknown>>): Promise<void> {
    expect(await deliver(system, line, genericCall(members))).to.equal(204);
  }

  async function lineWithNumber() {
    const admin = await system.createAdmin();
    const number = freshNumber();
    await claimNumber(system, admin, number);
    return { admin, number, line: await openLine(system, admin, 'generic') };
  }

  it('shows what came, what was read from it and which events it caused', async () => {
    const { admin, number, line } = await lineWithNumber();
    const call = unique('call');
    await tell(line, { type: 'call.ringing', call_id: call, to: number, occurred_at: at(0) });
    await tell(line, { type: 'call.answered', call_id: call, to: number, occurred_at: at(2) });
    await drained(system);

    const [answered, ringing] = await list(admin);
    const { body } = await read(admin, answered.id);

    expect(ringing).to.include({ carrier_id: line.id, provider: 'generic', status: 'processed', code: null });
    expect(answered).to.include({ event_type: 'call.answered', deliveries: 1, call_log_id: ringing.call_log_id });
    expect(body).to.deep.include(answered);
    expect(JSON.parse(body.body)).to.include({ call_id: call, type: 'call.answered' });
    expect(body.body_encoding).to.equal('utf-8');
    expect(body.verdict).to.deep.equal({ signature: 'verified', status: 'processed', code: null, detail: null });
    expect(body.understood).to.deep.equal({
      ...{ kind: 'signals', event_type: 'call.answered', code: null, detail: null },
      signals: [
        {
          ...{ carrier_call_id: call, state: 'answered', occurred_at: at(2), direction: 'incoming' },
          ...{ from: '+12025550143', to: number },
        },
      ],
    });
    const timeline = await system.ask('GET', `/api/call_logs/${answered.call_log_id}/events/`, { token: admin.token });
    const [event] = timeline.body.filter((entry: { type: string }) => entry.type === 'call.answered');
    const { inbound_webhook_id, ...caused } = event;
    expect(inbound_webhook_id).to.equal(answered.id);
    expect(body.events).to.deep.equal([{ ...caused, call_log_id: answered.call_log_id }]);
  });

  it('shows the answer that an end alone tells, and the call that it completes without a second of talk', async () => {
    const { admin, number } = await lineWithNumber();
    const line = await openLine(system, admin, 'vonage');
    const event = {
      ...{ uuid: unique('leg'), direction: 'inbound', from: '12025550143', to: number.slice(1), status: 'completed' },
      ...{ timestamp: at(6.4), start_time: at(5.9), end_time: at(6.3), duration: '0' },
    };
    await deliver(system, line, { contentType: 'application/json', body: Buffer.from(JSON.stringify(event)) });
    await drained(system);

    const [webhook] = await list(admin, `?carrier_id=${line.id}`);
    const { body } = await read(admin, webhook.id);
    const call = await system.ask('GET', `/api/call_logs/${webhook.call_log_id}/`, { token: admin.token });

    expect(body.understood.signals[0]).to.include({ state: 'ended', answered_at: at(5.9), talk_seconds: 0 });
    expect(call.body).to.include({ disposition: 'completed', answered_at: at(5.9), ended_at: at(6.3), duration: 0 });
  });

  it('masks signatures and secrets of every provider, in headers and in the query', async () => {
    const admin = await system.createAdmin();
    const secrets = { 'x-api-key': 'k-very-secret', cookie: 's=very-secret', 'x-auth-token': 'very-secret' };
    const seen: string[] = [];
    for (const provider of ['twilio', 'telnyx', 'vonage', 'plivo', 'signalwire', 'jambonz', 'sinch', 'freeswitch']) {
      const line = await openLine(system, admin, provider);
      const isForm = ['twilio', 'plivo', 'signalwire'].includes(provider);
      const delivery = {
        path: '/x?tenant=acme&token=very-secret',
        contentType: isForm ? 'application/x-www-form-urlencoded' : 'application/json',
        body: Buffer.from(isForm ? 'a=1' : '{"a":1}'),
        headers: secrets,
      };
      expect(await deliver(system, line, delivery), provider).to.be.within(200, 204);
      const [webhook] = await list(admin, `?carrier_id=${line.id}`);
      const { body } = await read(admin, webhook.id);
      seen.push(JSON.stringify(body));
      expect(body.path).to.equal(`/webhooks/${line.id}/x?tenant=acme&token=[masked]`);
      for (const [name, value] of Object.entries(body.headers as Record<string, string>)) {
        if (/signature|authorization|cookie|key|auth/.test(name)) expect(value, name).to.equal('[masked]');
      }
      for (const secret of Object.values(line.signer.credentials)) expect(seen.at(-1)).to.not.include(secret);
    }

    expect(seen.join()).to.not.include('very-secret');
  });

  it('answers a body that is no text as base64', async () => {
    const { admin, line } = await lineWithNumber();
    const body = Buffer.concat([
      Buffer.from('{"type":"call.ringing","x":"'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from('"}'),
    ]);
    const id = newId();
    await system.db('inbound_webhooks').insert({
      ...{ id, carrier_id: line.id, account_id: admin.accountId, provider: 'generic', delivery_key: id, body },
      ...{
        status: 'ignored',
        method: 'POST',
        path: '/',
        headers: '{}',
        received_at: new Date(),
        processed_at: new Date(),
      },
    });

    const { body: answer } = await read(admin, id);

    expect(answer.body_encoding).to.equal('base64');
    expect(Buffer.from(answer.body, 'base64').equals(body)).to.equal(true);
  });

  it('counts repeated deliveries, and keeps the first', async () => {
    const { admin, number, line } = await lineWithNumber();
    const delivery = genericCall({ type: 'call.ringing', call_id: unique('call'), to: number });
    const headers = { 'webhook-id': 'msg_1' };
    const signed = line.signer.sign({ ...delivery, url: '', at: Date.now() });
    const sameId = { ...delivery, headers: { ...signed, ...headers } };

    for (let times = 0; times < 3; times += 1) await deliver(system, line, { ...delivery, headers: signed });

    expect(await deliver(system, line, sameId)).to.equal(401);
    expect((await list(admin)).map((row: { deliveries: number }) => row.deliveries)).to.deep.equal([3]);
  });

  it('filters, and refuses filters that it does not know', async () => {
    const { admin, number, line } = await lineWithNumber();
    await tell(line, { type: 'call.ringing', call_id: unique('call'), to: number });
    await tell(line, { type: 'call.ringing', call_id: unique('call'), to: freshNumber() });
    await tell(line, { type: 'sms.sent', call_id: 'x' });
    await drained(system);
    const statuses = async (query: string) =>
      (await list(admin, query)).map((row: { code: string }) => row.code).sort();
    const [processed] = await list(admin, '?status=processed');

    expect(await statuses('?status=ignored')).to.deep.equal(['unknown_event', 'unknown_number']);
    expect(await statuses('?status=ignored,processed')).to.have.lengthOf(3);
    expect(await statuses('?code=unknown_number,none')).to.deep.equal([null, 'unknown_number'].sort());
    expect(await statuses(`?carrier_id=${newId()}`)).to.deep.equal([]);
    expect(await statuses(`?call_log_id=${processed.call_log_id}`)).to.have.lengthOf(1);
    expect(await statuses('?call_log_id=none')).to.have.lengthOf(2);
    expect(await statuses(`?received_after=${new Date(Date.now() + 60_000).toISOString()}`)).to.deep.equal([]);
    expect(await statuses(`?received_before=${new Date(NOW - 60_000).toISOString()}`)).to.deep.equal([]);
    for (const [name, value] of Object.entries({
      status: 'odd',
      carrier_id: 'x',
      received_after: 'soon',
      nothing: '1',
    })) {
      const { status, body } = await system.ask('GET', `/api/inbound_webhooks/?${name}=${value}`, {
        token: admin.token,
      });
      expect(status, name).to.equal(400);
      expect(body[name], name).to.be.an('array');
    }
  });

  it('pages newest first, without repeat or miss while webhooks arrive', async () => {
    const { admin, number, line } = await lineWithNumber();
    const deliverOne = () => tell(line, { type: 'call.ringing', call_id: unique('call'), to: number });
    for (let made = 0; made < 7; made += 1) await deliverOne();
    const expected = (await list(admin)).map((row: { id: string }) => row.id);

    const seen: string[] = [];
    for (let path: string | undefined = '/api/inbound_webhooks/?limit=3'; path; ) {
      const { body, headers } = await system.ask('GET', path, { token: admin.token });
      seen.push(...body.map((row: { id: string }) => row.id));
      path = /<([^>]+)>/.exec(headers.get('link') ?? '')?.[1];
      await deliverOne();
    }

    expect(seen).to.deep.equal(expected);
    expect((await system.ask('GET', '/api/inbound_webhooks/?cursor=x', { token: admin.token })).status).to.equal(400);
  });

  it('shows them to nobody but the account, and what belongs to nobody to operators alone', async () => {
    const operator = await system.createOperator();
    const [admin, stranger] = [await system.createAdmin(), await system.createAdmin()];
    const member = await system.createMember(admin);
    const number = freshNumber();
    await claimNumber(system, admin, number);
    const shared = await openLine(system, operator, 'generic', { shared: true });
    const answer = async (person: Person, id: string) => (await read(person, id)).status;
    await tell(shared, {
      type: 'call.ringing',
      call_id: unique('call'),
      to: number,
      occurred_at: new Date().toISOString(),
    });
    await tell(shared, { type: 'call.ringing', call_id: unique('call'), to: freshNumber() });
    await drained(system);

    const [theirs] = await list(admin);
    const [nobodys] = await list(operator);

    expect(theirs).to.include({ status: 'processed', carrier_id: shared.id });
    expect(nobodys).to.include({ status: 'ignored', code: 'unknown_number' });
    expect([await answer(admin, theirs.id), await answer(operator, nobodys.id)]).to.deep.equal([200, 200]);
    expect([await answer(operator, theirs.id), await answer(admin, nobodys.id)]).to.deep.equal([404, 404]);
    expect([await answer(stranger, theirs.id), await answer(stranger, nobodys.id)]).to.deep.equal([404, 404]);
    expect([await answer(member, theirs.id), await answer(admin, 'x')]).to.deep.equal([403, 404]);
    expect([(await list(stranger)).length, (await list(operator)).length]).to.deep.equal([0, 1]);
    expect((await replay(stranger, `${theirs.id}/replay/`)).status).to.equal(404);
    expect((await replay(stranger, 'replay/')).body).to.deep.equal({ queued: 0 });
    expect((await replay(operator, `replay/?status=processed`)).body).to.deep.equal({ queued: 0 });
  });

  it('needs the scope webhooks, for replays webhooks:write', async () => {
    const { admin } = await lineWithNumber();
    const keyWith = async (scopes: string[]) =>
      (await system.ask('POST', '/api/api_keys/', { token: admin.token, body: { name: unique('key'), scopes } })).body
        .key;
    const [reader, other] = [await keyWith(['webhooks:read']), await keyWith(['calls:read'])];
    const ask = async (token: string, method: string, path: string) =>
      (await system.ask(method, path, { token })).status;

    expect(await ask(reader, 'GET', '/api/inbound_webhooks/')).to.equal(200);
    expect(await ask(reader, 'POST', '/api/inbound_webhooks/replay/')).to.equal(403);
    expect(await ask(other, 'GET', '/api/inbound_webhooks/')).to.equal(403);
    expect((await system.ask('GET', '/api/inbound_webhooks/')).status).to.equal(401);
  });

  const snapshot = async (admin: Person) => ({
    calls: (await system.ask('GET', '/api/call_logs/', { token: admin.token })).body,
    events: (await system.ask('GET', '/api/call_events/?after=0', { token: admin.token })).body.map(
      (event: Record<string, unknown>) => ({ ...event, sent_at: null }),
    ),
  });

  it('changes nothing that is right, however often and in whatever way it is replayed', async () => {
    const { admin, number, line } = await lineWithNumber();
    const call = unique('call');
    for (const [place, type] of ['call.initiated', 'call.ringing', 'call.answered', 'call.ended'].entries()) {
      await tell(line, { type, call_id: call, to: number, occurred_at: at(place) });
    }
    await tell(line, { type: 'call.updated', call_id: call, price: '0.01', currency: 'USD' });
    await drained(system);
    const before = await snapshot(admin);
    const webhooks = await list(admin);

    for (const { id } of webhooks) expect((await replay(admin, `${id}/replay/`)).body).to.deep.equal({ queued: 1 });
    await drained(system);
    const all = await replay(admin, 'replay/', { status: 'processed', carrier_id: line.id });
    await drained(system);
    const byQuery = await replay(admin, `replay/?status=processed&carrier_id=${line.id}`);
    const none = await replay(admin, `replay/?status=processed`, { status: 'failed' });
    await drained(system);

    expect([all.status, all.body]).to.deep.equal([202, { queued: 5 }]);
    expect([byQuery.body, none.body]).to.deep.equal([{ queued: 5 }, { queued: 0 }]);
    expect(await snapshot(admin)).to.deep.equal(before);
    const processedAgain = (await list(admin)).map((row: object) => ({ ...row, processed_at: null }));
    expect(processedAgain).to.deep.equal(webhooks.map((row: object) => ({ ...row, processed_at: null })));
  });

  it('makes calls of what an inactive carrier kept, when it is replayed', async () => {
    const { admin, number, line } = await lineWithNumber();
    await system.ask('PATCH', `/api/carriers/${line.id}/`, { token: admin.token, body: { is_active: false } });
    await until('the line is known to be inactive', async () => {
      await tell(line, { type: 'call.ringing', call_id: unique('call'), to: number });
      return (await list(admin, '?status=ignored')).length > 0;
    });
    const [kept] = await list(admin, '?status=ignored');

    await replay(admin, 'replay/', { code: 'carrier_inactive' });
    await drained(system);

    expect(kept.code).to.equal('carrier_inactive');
    expect((await read(admin, kept.id)).body).to.include({ status: 'processed', code: null });
  });

  it('queues a replay of many little by little', async () => {
    const { admin, line } = await lineWithNumber();
    await system.db.raw(
      `insert into inbound_webhooks (id, carrier_id, account_id, provider, delivery_key, status, code, method, path, headers,
         body, received_at, processed_at)
       select gen_random_uuid(), ?, ?, 'generic', 'many-' || n, 'ignored', 'unknown_event', 'POST', '/', '{}',
         '{"type":"sms.sent"}', now() - n * interval '1 second', now() from generate_series(1, 6500) n`,
      [line.id, admin.accountId],
    );

    const { body } = await replay(admin, `replay/?carrier_id=${line.id}`);

    expect(body).to.deep.equal({ queued: 6500 });
    await until(
      'all are processed again',
      async () => {
        await system.system.features.ingestion.drain();
        const [row] = await system.db('webhook_replays').select('id').limit(1);
        return row === undefined;
      },
      20_000,
    );
    await drained(system);
    const again = await system.db('seen_webhooks').where({ carrier_id: line.id, status: 'ignored' }).select('id');
    expect(again).to.have.lengthOf(6500);
  });

  it('groups what did not become a part of a call by reason', async () => {
    const { admin, number, line } = await lineWithNumber();
    await tell(line, { type: 'call.ringing', call_id: unique('call'), to: number });
    for (let made = 0; made < 3; made += 1) await tell(line, { type: 'sms.sent', call_id: 'x' });
    await tell(line, { type: 'call.ringing', call_id: 'x', to: number, occurred_at: 'yesterday' });
    await drained(system);

    const { body } = await system.ask('GET', '/api/inbound_webhooks/summary/', { token: admin.token });

    const [newest] = await list(admin, '?code=unknown_event');
    const group = { provider: 'generic', carrier_id: line.id };
    expect(body).to.have.lengthOf(2);
    expect(body[0]).to.deep.equal({
      ...{ ...group, status: 'ignored', code: 'unknown_event', count: 3 },
      ...{ newest: newest.received_at, newest_id: newest.id },
    });
    expect(body[1]).to.include({ ...group, status: 'failed', code: 'impossible_time', count: 1 });
  });

  it('tells what came over a carrier, how late it was, and how many calls were lost', async () => {
    const { admin, number, line } = await lineWithNumber();
    const stranger = await system.createAdmin();
    const path = `/api/carriers/${line.id}/statistics/`;
    const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
    for (let made = 0; made < 10; made += 1) {
      await tell(line, { type: 'call.ringing', call_id: unique('call'), to: number, occurred_at: ago(2000) });
    }
    await tell(line, { type: 'call.ringing', call_id: unique('call'), to: number, occurred_at: ago(60_000) });
    await tell(line, { type: 'sms.sent', call_id: 'x' });
    await deliver(system, line, { ...genericCall({}), headers: { 'webhook-signature': 'v1,AAAA' } });
    await drained(system);

    const again = await system.ask('POST', '/api/inbound_webhooks/replay/', { token: admin.token, body: {} });
    await drained(system);

    const { status, body } = await system.ask('GET', path, { token: admin.token });

    expect(again.body.queued).to.equal(12);
    expect(status).to.equal(200);
    expect(body.webhooks).to.deep.equal({
      ...{ total: 12, deliveries: 12, pending: 0, waiting: 0, processed: 11, ignored: 1, failed: 0 },
    });
    expect(body.results).to.deep.equal([
      { status: 'processed', code: null, count: 11 },
      { status: 'ignored', code: 'unknown_event', count: 1 },
    ]);
    expect(body.delay.count).to.equal(11);
    expect(body.delay.p50).to.be.within(1.9, 4);
    expect(body.delay.p99).to.be.within(59, 68);
    expect(body).to.include({ lost_calls: 0, accepted_count: 12, refused_count: 1 });
    expect((await system.ask('GET', path, { token: stranger.token })).status).to.equal(404);
  });
});
