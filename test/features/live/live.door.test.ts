import { expect } from 'chai';
import { createEventLog } from '../../../src/features/events/index.js';
import { newId } from '../../../src/lib/ids.js';
import { createSchemaCheck } from '../../support/answer-check.js';
import { startSystem, type TestSystem } from '../../support/system.js';
import { createWriter, openSocket, type TestSocket } from './live-world.js';

describe('live channel of a whole system', function () {
  this.timeout(30_000);
  const sockets: TestSocket[] = [];
  let system: TestSystem;
  let writer: ReturnType<typeof createWriter>;

  before(async () => {
    system = await startSystem();
    writer = createWriter(system.db, createEventLog(system.db, system.system.platform.wakeups));
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.close();
  });
  after(() => system.stop());

  const open = (token: string, url = system.url): TestSocket => {
    const socket = openSocket(url, { token });
    sockets.push(socket);
    return socket;
  };

  it('shows the same over sockets and REST', async () => {
    const admin = await system.createAdmin();
    const running = await writer.call(admin.accountId);
    const over = await writer.call(admin.accountId);
    await writer.tell(admin.accountId, over, 'call.ended');
    const socket = openSocket(system.url, { token: admin.token, after: 0 });
    sockets.push(socket);
    await socket.next('caught_up');

    const board = await system.ask('GET', '/api/calls/live/', { token: admin.token });
    const events = await system.ask('GET', '/api/call_events/?after=1&limit=10', { token: admin.token });
    const gone = await system.ask('GET', '/api/call_events/?after=99', { token: admin.token });

    expect(board.body.seq).to.equal(3);
    expect(board.body.calls.map(({ id }: { id: string }) => id)).to.deep.equal([running]);
    const unsent = (event: Record<string, unknown>) => ({ ...event, sent_at: '' });
    expect(events.body.map(unsent)).to.deep.equal(socket.events().slice(1).map(unsent));
    expect(gone.status).to.equal(410);
    expect(gone.body).to.include({ code: 'cursor_expired', oldest_seq: 1 });
  });

  it('sends what the AsyncAPI document says, member by member', async () => {
    const { messages } = (await system.ask('GET', '/asyncapi.json')).body.channels.live;
    const admin = await system.createAdmin();
    const socket = open(admin.token);
    await socket.next('snapshot');
    const id = await writer.call(admin.accountId, { tags: ['vip'] });
    await writer.tell(admin.accountId, id, 'call.updated', { note: 'rung' });
    await socket.ask('subscribe', { tags: ['vip'] });
    await socket.next('snapshot');
    await writer.tell(admin.accountId, id, 'call.updated', { tags: [] });
    await socket.next('call.removed');

    const ajv = createSchemaCheck();
    const told = socket.received.filter(({ name }) => name !== 'connect');
    for (const { name, body } of told) {
      const { payload } = messages[name.replace('.', '_')];
      expect(ajv.validate(payload, body), `${name}: ${ajv.errorsText()}`).to.equal(true);
      const described = payload.properties.call?.properties ?? payload.properties.calls?.items.properties;
      for (const call of body.calls ?? [body.call]) expect(described).to.have.all.keys(call);
    }
    expect(told.map(({ name }) => name)).to.deep.equal([
      'snapshot',
      'call.initiated',
      'call.updated',
      'snapshot',
      'call.removed',
    ]);
  });

  it('is described with call logs member by member over REST too', async () => {
    const { paths } = (await system.ask('GET', '/openapi.json')).body;
    const schemaOf = (path: string) => paths[path].get.responses[200].content['application/json'].schema;
    const members = Object.keys(schemaOf('/api/call_logs/{id}/').properties);

    const described = [
      schemaOf('/api/calls/live/').properties.calls.items,
      schemaOf('/api/call_events/').items.anyOf[0].properties.call,
      schemaOf('/api/events/').items.properties.call,
    ];

    for (const { properties } of described) expect(properties).to.have.all.keys(members);
  });

  it('gives events written on one process to sockets on another', async () => {
    const other = await startSystem({ beside: system, env: { ROLES: 'live' } });
    const admin = await system.createAdmin();
    const socket = open(admin.token, other.url);
    await socket.next('snapshot');

    const id = await writer.call(admin.accountId);
    const event = await socket.next('call.initiated');

    expect(event.call.id).to.equal(id);
    await other.stop();
  });

  it('answers for the live channel on a process that plays no other role', async () => {
    const other = await startSystem({ beside: system, env: { ROLES: 'live' } });
    const admin = await system.createAdmin();
    const socket = open(admin.token, other.url);
    await socket.next('snapshot');

    const health = await fetch(`${other.url}/api/live/health/`, {
      headers: { authorization: `Bearer ${admin.token}` },
    });
    const numbers = await fetch(`${other.url}/api/virtual_numbers/`);

    expect(await health.json()).to.include({ connections: 1 });
    expect(numbers.status).to.equal(404);
    await other.stop();
  });

  it('closes the sockets of a deactivated user within a second, and leaves the others', async () => {
    const admin = await system.createAdmin();
    const member = await system.createMember(admin);
    const [theirs, mine] = [open(member.token), open(admin.token)];
    await Promise.all([theirs.next('snapshot'), mine.next('snapshot')]);

    const at = Date.now();
    await system.ask('PATCH', `/api/users/${member.userId}/`, { token: admin.token, body: { is_active: false } });
    const closed = await theirs.next('closed');

    expect(closed.code).to.equal('token_revoked');
    expect(Date.now() - at).to.be.below(1000);
    expect(mine.socket.connected).to.equal(true);
  });

  it('takes a changed role into account on open sockets within a second', async () => {
    const admin = await system.createAdmin();
    const member = await system.createMember(admin);
    await writer.call(admin.accountId, { user_id: newId() });
    const socket = open(member.token);
    const before = await socket.next('snapshot');

    await system.ask('PATCH', `/api/users/${member.userId}/`, { token: admin.token, body: { role: 'admin' } });
    const after = await socket.next('snapshot');

    expect([before.calls.length, after.calls.length]).to.deep.equal([0, 1]);
  });

  it('takes API keys that may read calls', async () => {
    const admin = await system.createAdmin();
    const keyWith = async (scopes: string[]): Promise<string> => {
      const { body } = await system.ask('POST', '/api/api_keys/', { token: admin.token, body: { name: 'k', scopes } });
      return body.key;
    };
    const reader = open(await keyWith(['calls:read']));
    const other = open(await keyWith(['numbers:read']));

    const snapshot = await reader.next('snapshot');
    const refused = await other.next('connect_error');

    expect(snapshot.calls).to.deep.equal([]);
    expect(refused.data.code).to.equal('insufficient_scope');
  });

  it('shows delays, metrics and the AsyncAPI document', async () => {
    const admin = await system.createAdmin();
    const socket = open(admin.token);
    await socket.next('snapshot');
    await writer.call(admin.accountId);
    await socket.next('call.initiated');

    const health = await system.ask('GET', '/api/live/health/', { token: admin.token });
    const metrics = await system.ask('GET', '/metrics');
    const asyncapi = await system.ask('GET', '/asyncapi.json');

    expect(health.body).to.include({ window_seconds: 300, connections: 1 });
    expect(health.body.delays.carrier_to_arrival).to.include({ count: 1 });
    expect(health.body.delays.carrier_to_arrival.p50).to.be.within(38, 45);
    expect(metrics.body).to.contain('switchboard_live_hop_seconds_bucket').and.contain('switchboard_live_connections');
    expect(asyncapi.body.asyncapi).to.equal('3.0.0');
  });
});
