import { expect } from 'chai';
import { newId } from '../../../src/lib/ids.js';
import { createWorld, openSocket, type TestSocket, tokenFor, type World } from './live-world.js';

describe('live sessions', function () {
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

  it('warns before the token ends, and closes with it', async () => {
    const accountId = await world.writer.account();
    const expiresAt = Date.now() + 1000;
    const socket = open({ token: tokenFor({ accountId, expiresAt }) });

    const warning = await socket.next('token_expiring');
    const closed = await socket.next('closed');

    expect(warning).to.deep.equal({ expires_at: new Date(expiresAt).toISOString() });
    expect(closed).to.deep.equal({ code: 'token_expired', seq: 0 });
    expect(await socket.closed).to.equal('io server disconnect');
    expect(Date.now()).to.be.within(expiresAt, expiresAt + 800);
  });

  it('goes on with a new token of the same user, and refuses anybody else’s', async () => {
    const accountId = await world.writer.account();
    const who = { accountId, userId: newId() };
    const expiresAt = Date.now() + 1200;
    const socket = open({ token: tokenFor({ ...who, expiresAt }) });
    await socket.next('token_expiring');

    const other = await socket.ask('authenticate', { token: tokenFor({ ...who, userId: newId() }) });
    const bad = await socket.ask('authenticate', { token: 'rubbish' });
    const answer = await socket.ask('authenticate', { token: tokenFor({ ...who, expiresAt: expiresAt + 60_000 }) });
    await new Promise((resolve) => setTimeout(resolve, expiresAt + 500 - Date.now()));
    await world.writer.call(accountId);
    await socket.next('call.initiated');

    expect(other.error.code).to.equal('other_user');
    expect(bad.error.code).to.equal('token_not_valid');
    expect(answer).to.deep.equal({ ok: true, seq: 0 });
  });

  it('closes within a second when the sign-in is stopped', async () => {
    const accountId = await world.writer.account();
    const [stopped, other] = [newId(), newId()];
    const socket = open({ token: tokenFor({ accountId, sessionId: stopped }) });
    const bystander = open({ token: tokenFor({ accountId, sessionId: other }) });
    await Promise.all([socket.next('snapshot'), bystander.next('snapshot')]);

    const at = Date.now();
    world.verdicts.set(stopped, { isValid: false, role: 'admin' });
    const closed = await socket.next('closed');
    const ms = Date.now() - at;

    expect(closed.code).to.equal('token_revoked');
    expect(ms).to.be.below(1000);
    expect(bystander.socket.connected).to.equal(true);
  });

  it('shows what a new role may see, with a fresh snapshot', async () => {
    const accountId = await world.writer.account();
    const [userId, sessionId] = [newId(), newId()];
    const mine = await world.writer.call(accountId, { user_id: userId });
    const theirs = await world.writer.call(accountId, { user_id: newId() });
    const socket = open({ token: tokenFor({ accountId, userId, sessionId, role: 'admin' }) });
    const all = await socket.next('snapshot');

    world.verdicts.set(sessionId, { isValid: true, role: 'member' });
    const own = await socket.next('snapshot');
    await world.writer.tell(accountId, theirs, 'call.ended');
    await world.writer.tell(accountId, mine, 'call.ended');
    await socket.next('call.ended');

    expect(all.calls).to.have.lengthOf(2);
    expect(own.calls.map(({ id }: { id: string }) => id)).to.deep.equal([mine]);
    expect(socket.events().map(({ call }) => call.id)).to.deep.equal([mine]);
  });

  it('says goodbye with the cursor when the process shuts down', async () => {
    const accountId = await world.writer.account();
    const node = await world.startNode();
    const socket = open({ token: tokenFor({ accountId }) }, node.url);
    await socket.next('snapshot');
    await world.writer.call(accountId);
    await socket.next('call.initiated');

    await node.close();

    expect(await socket.next('closed')).to.deep.equal({ code: 'shutting_down', seq: 1 });
  });

  it('refuses more connections of one user than allowed', async () => {
    const node = await world.startNode({ LIVE_CONNECTIONS_PER_USER: '2' });
    const accountId = await world.writer.account();
    const token = tokenFor({ accountId, userId: newId() });
    const first = open({ token }, node.url);
    const second = open({ token }, node.url);
    await Promise.all([first.next('snapshot'), second.next('snapshot')]);

    const refused = await open({ token }, node.url).next('connect_error');
    first.close();
    await first.closed;
    const later = await admitted(() => open({ token }, node.url));

    expect(refused.data.code).to.equal('too_many_connections');
    expect(later).to.equal(true);
  });

  /** The server learns a moment later that a client has left. */
  async function admitted(connect: () => TestSocket): Promise<boolean> {
    for (let tries = 0; tries < 50; tries += 1) {
      const socket = connect();
      const outcome = await Promise.race([
        socket.next('snapshot').then(() => true),
        socket.next('connect_error').then(() => false),
      ]);
      if (outcome) return true;
      socket.close();
    }
    return false;
  }
});
