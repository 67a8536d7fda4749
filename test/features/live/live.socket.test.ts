import { expect } from 'chai';
import { skipAhead } from '../../../src/features/events/events.repository.js';
import { newId } from '../../../src/lib/ids.js';
import { createWorld, openSocket, type TestSocket, tokenFor, type World } from './live-world.js';

describe('live channel', function () {
  this.timeout(30_000);
  const sockets: TestSocket[] = [];
  let world: World;
  let url: string;

  before(async () => {
    world = await createWorld();
    url = (await world.startNode()).url;
  });
  afterEach(() => {
    for (const socket of sockets.splice(0)) socket.close();
  });
  after(() => world.close());

  const open = (auth: Record<string, unknown>, at = url): TestSocket => {
    const socket = openSocket(at, auth);
    sockets.push(socket);
    return socket;
  };

  describe('handshake', () => {
    const refusals: [string, (accountId: string) => Record<string, unknown>, string][] = [
      ['without a token', () => ({}), 'not_authenticated'],
      ['with a token that is none', () => ({ token: 'rubbish' }), 'token_not_valid'],
      ['with a token that is no text', () => ({ token: 17 }), 'not_authenticated'],
      [
        'with a cursor that is no number',
        (a) => ({ token: tokenFor({ accountId: a }), after: 'x' }),
        'invalid_request',
      ],
      ['with a cursor below 0', (a) => ({ token: tokenFor({ accountId: a }), after: -1 }), 'invalid_request'],
      [
        'with an unknown filter',
        (a) => ({ token: tokenFor({ accountId: a }), subscribe: { colour: ['red'] } }),
        'invalid_request',
      ],
      [
        'with an API key that may not read calls',
        (a) => ({ token: tokenFor({ accountId: a, apiKeyId: newId(), scopes: [] }) }),
        'insufficient_scope',
      ],
    ];
    for (const [what, auth, code] of refusals) {
      it(`answers ${code} ${what}`, async () => {
        const error = await open(auth(newId())).next('connect_error');

        expect(error.data.code).to.equal(code);
      });
    }

    it('passes over members that it does not know, whatever they hold', async () => {
      const accountId = await world.writer.account();
      const unknown = { colour: 'red', some_ids: [1], user_ids: [{}], virtual_number_ids: ['NONE'] };
      const socket = open({ token: tokenFor({ accountId }), ...unknown });

      const outcome = await Promise.race([socket.next('snapshot'), socket.next('connect_error')]);

      expect(outcome).to.deep.equal({ seq: 0, calls: [] });
    });
  });

  it('begins with the calls in progress, and goes on with the events after them', async () => {
    const accountId = await world.writer.account();
    const running = await world.writer.call(accountId);
    const over = await world.writer.call(accountId);
    await world.writer.tell(accountId, over, 'call.ended');
    const socket = open({ token: tokenFor({ accountId }) });

    const snapshot = await socket.next('snapshot');
    await world.writer.tell(accountId, running, 'call.ringing');
    const event = await socket.next('call.ringing');

    expect(snapshot.seq).to.equal(3);
    expect(snapshot.calls.map((call: { id: string }) => call.id)).to.deep.equal([running]);
    expect(event).to.include({ seq: 4, type: 'call.ringing' });
    expect(event).to.have.all.keys('seq', 'type', 'occurred_at', 'received_at', 'sent_at', 'call');
    expect(event.call).to.include({ id: running, status: 'ringing' });
  });

  it('tells everything after a cursor, then that it has caught up, then what comes', async () => {
    const accountId = await world.writer.account();
    for (let i = 0; i < 5; i += 1) await world.writer.call(accountId);
    await world.writer.other(accountId);
    const socket = open({ token: tokenFor({ accountId }), after: 2 });

    const { seq } = await socket.next('caught_up');
    await world.writer.call(accountId);
    await socket.next('call.initiated', (event) => event.seq === 7);

    expect(seq).to.equal(6);
    expect(socket.events().map((event) => event.seq)).to.deep.equal([3, 4, 5, 7]);
    expect(socket.received.map(({ name }) => name)).not.to.include('snapshot');
  });

  it('resets a cursor after which events have been deleted, and one that is newer than the newest', async () => {
    const accountId = await world.writer.account();
    for (let i = 0; i < 5; i += 1) await world.writer.call(accountId);
    await world.db('events').where({ account_id: accountId }).where('seq', '<=', 3).delete();
    await world.db('account_counters').where({ account_id: accountId }).update({ pruned_seq: 3 });
    const token = tokenFor({ accountId });

    const old = open({ token, after: 2 });
    const future = open({ token, after: 6 });
    const fitting = open({ token, after: 3 });
    const all = open({ token, after: 0 });
    const resets = [await old.next('reset'), await future.next('reset')];
    const snapshots = [await old.next('snapshot'), await future.next('snapshot')];
    await fitting.next('caught_up');
    await all.next('caught_up');

    expect(resets).to.deep.equal([{ oldest_seq: 4 }, { oldest_seq: 4 }]);
    expect(snapshots.map(({ seq, calls }) => [seq, calls.length])).to.deep.equal([
      [5, 5],
      [5, 5],
    ]);
    expect(old.events()).to.deep.equal([]);
    expect([fitting.events(), all.events()].map((list) => list.map(({ seq }) => seq))).to.deep.equal([
      [4, 5],
      [4, 5],
    ]);
  });

  it('tells everything that is kept over a gap, and resets the cursors before it', async () => {
    const accountId = await world.writer.account();
    for (let i = 0; i < 2; i += 1) await world.writer.call(accountId);
    await skipAhead(world.db, 1000);
    await world.writer.call(accountId);
    const token = tokenFor({ accountId });

    const all = open({ token, after: 0 });
    const old = open({ token, after: 2 });
    await all.next('caught_up');
    const reset = await old.next('reset');

    expect(all.events().map(({ seq }) => seq)).to.deep.equal([1, 2, 1003]);
    expect(all.received.map(({ name }) => name)).not.to.include('reset');
    expect(reset).to.deep.equal({ oldest_seq: 1 });
  });

  it('shows a member the calls of their numbers alone', async () => {
    const accountId = await world.writer.account();
    const userId = newId();
    const mine = await world.writer.call(accountId, { user_id: userId });
    await world.writer.call(accountId, { user_id: newId() });
    const member = open({ token: tokenFor({ accountId, userId, role: 'member' }) });
    const stranger = open({ token: tokenFor({ accountId: await world.writer.account() }) });

    const snapshot = await member.next('snapshot');
    await stranger.next('snapshot');
    await world.writer.call(accountId, { user_id: newId() });
    await world.writer.tell(accountId, mine, 'call.ringing');
    await member.next('call.ringing');

    expect(snapshot.calls.map((call: { id: string }) => call.id)).to.deep.equal([mine]);
    expect(member.events()).to.have.lengthOf(1);
    expect(stranger.events()).to.deep.equal([]);
  });

  it('replaces the filter, and says from which seq it holds', async () => {
    const accountId = await world.writer.account();
    const socket = open({ token: tokenFor({ accountId }) });
    await socket.next('snapshot');
    const sales = await world.writer.call(accountId, { tags: ['sales'] });
    await world.writer.call(accountId, { tags: ['support'] });

    const answer = await socket.ask('subscribe', { tags: ['sales'] });
    const snapshot = await socket.next('snapshot');
    await world.writer.call(accountId, { tags: ['support'] });
    await world.writer.tell(accountId, sales, 'call.ringing');
    await socket.next('call.ringing');

    expect(answer).to.deep.equal({ ok: true, seq: 2 });
    expect(snapshot.seq).to.equal(2);
    expect(snapshot.calls.map((call: { id: string }) => call.id)).to.deep.equal([sales]);
    expect(socket.events().map(({ seq }) => seq)).to.deep.equal([1, 2, 4]);
  });

  it('filters by number, user, direction and type', async () => {
    const accountId = await world.writer.account();
    const [number, userId] = [newId(), newId()];
    const subscribe = {
      virtual_number_ids: [number.toUpperCase(), newId()],
      user_ids: [userId, null],
      directions: ['outgoing'],
      types: ['call.ended'],
    };
    const socket = open({ token: tokenFor({ accountId }), subscribe });
    await socket.next('snapshot');
    const parts = { virtual_number_id: number, user_id: userId, direction: 'outgoing' } as const;

    const right = await world.writer.call(accountId, parts);
    const others = [{ virtual_number_id: newId() }, { user_id: newId() }, { direction: 'incoming' as const }];
    for (const other of others) {
      await world.writer.tell(accountId, await world.writer.call(accountId, { ...parts, ...other }), 'call.ended');
    }
    await world.writer.tell(accountId, right, 'call.ended');
    await socket.next('call.ended');

    expect(socket.events().map(({ call }) => call.id)).to.deep.equal([right]);
  });

  it('tells that a call has left the filter, and shows one that has come into it', async () => {
    const accountId = await world.writer.account();
    const socket = open({ token: tokenFor({ accountId }), subscribe: { tags: ['vip'] } });
    await socket.next('snapshot');
    const id = await world.writer.call(accountId, { tags: [] });

    await world.writer.tell(accountId, id, 'call.updated', { tags: ['vip'] });
    await world.writer.tell(accountId, id, 'call.updated', { tags: ['other'] });
    await world.writer.tell(accountId, id, 'call.updated', { note: 'unseen' });
    await world.writer.call(accountId, { tags: ['vip'] });
    await socket.next('call.initiated');

    expect(socket.events().map(({ seq, type }) => [seq, type])).to.deep.equal([
      [2, 'call.updated'],
      [3, 'call.removed'],
      [5, 'call.initiated'],
    ]);
    expect(socket.events()[1]).to.deep.equal({ seq: 3, type: 'call.removed', call: { id } });
  });

  it('answers messages that it does not understand, and stays', async () => {
    const accountId = await world.writer.account();
    const socket = open({ token: tokenFor({ accountId }) });
    await socket.next('snapshot');

    const unknown = await socket.ask('dance', { wildly: true });
    const wrong = await socket.ask('subscribe', { tags: 'sales' });
    const deep = await socket.ask('subscribe', { __proto__: null, tags: [[[[]]]] });
    const bare = await socket.ask('subscribe', 'everything');
    socket.socket.emit('error', { boom: true });
    socket.socket.emit('subscribe', { nonsense: 1 }, { not: 'a function' });
    const [first, second] = [await socket.next('error'), await socket.next('error')];
    await world.writer.call(accountId);
    await socket.next('call.initiated');

    expect(unknown).to.deep.include({ ok: false }).and.have.nested.property('error.code', 'unknown_message');
    for (const answer of [wrong, deep, bare]) expect(answer.error.code).to.equal('invalid_request');
    expect([first.code, second.code].sort()).to.deep.equal(['invalid_request', 'unknown_message']);
  });

  for (const namespace of ['', '/calls', '/live/']) {
    it(`closes connections to the namespace "${namespace || '/'}"`, async () => {
      const token = tokenFor({ accountId: await world.writer.account() });
      const other = openSocket(url, { token }, namespace);
      sockets.push(other);

      const closed = new Promise((resolve) => other.socket.io.once('close', resolve));
      const error = await other.next('connect_error');
      await closed;

      expect(error.data.code).to.equal('invalid_request');
    });
  }
});
