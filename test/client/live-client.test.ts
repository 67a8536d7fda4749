import { expect } from 'chai';
import { connectLive, type LiveClient, type LiveError, type LiveOptions } from '../../src/client/index.js';
import type { UserRole } from '../../src/http/actor.js';
import { newId } from '../../src/lib/ids.js';
import { createWorld, type LiveNode, tokenFor, type World } from '../features/live/live-world.js';

describe('live client', function () {
  this.timeout(30_000);
  const clients: LiveClient[] = [];
  let world: World;
  let node: LiveNode;

  before(async () => {
    world = await createWorld();
    node = await world.startNode();
  });
  afterEach(() => {
    for (const client of clients.splice(0)) client.close();
  });
  after(() => world.close());

  function connect(options: Partial<LiveOptions> & Pick<LiveOptions, 'token'>): LiveClient {
    const client = connectLive({ url: node.url, retryMs: [5, 50], ...options });
    clients.push(client);
    return client;
  }

  /** A client whose connection can be ended; it comes back by itself. */
  function connectCuttable(accountId: string, options: Partial<LiveOptions> = {}) {
    let sessionId = newId();
    const client = connect({ ...options, token: () => tokenFor({ accountId, sessionId }) });
    function cut(): void {
      world.verdicts.set(sessionId, { isValid: false, role: 'admin' });
      sessionId = newId();
    }
    return { client, cut };
  }

  const codeOf = (asked: Promise<number>): Promise<string> =>
    asked.then(
      () => 'taken',
      ({ code }: LiveError) => code,
    );

  /** What the first call of a listener resolves with. */
  const once = <T>(listen: (resolve: (value: T | Promise<T>) => void) => () => void): Promise<T> =>
    new Promise((resolve) => {
      const stop = listen((value) => {
        stop();
        resolve(value);
      });
    });

  it('shows the board before it hands out the event that changed it', async () => {
    const accountId = await world.writer.account();
    const client = connect({ token: () => tokenFor({ accountId }) });
    await once((done) => client.on('board', () => done(null)));
    const sizes: number[] = [];
    client.on('event', () => sizes.push(client.board.size));
    const over = once((done) => client.on('event', (event) => event.type === 'call.ended' && done(null)));

    const id = await world.writer.call(accountId);
    await world.writer.tell(accountId, id, 'call.ended');
    await over;

    expect(sizes).to.deep.equal([1, 0]);
    expect(client.seq).to.equal(2);
  });

  it('renews its token before it ends, and stays connected', async () => {
    const accountId = await world.writer.account();
    const userId = newId();
    const firstEnd = Date.now() + 800;
    let asked = 0;
    const token = (): string => {
      asked += 1;
      return tokenFor({ accountId, userId, expiresAt: asked === 1 ? firstEnd : firstEnd + 600_000 });
    };
    const client = connect({ token });
    const goodbyes: string[] = [];
    client.on('disconnected', (reason) => goodbyes.push(reason));
    const event = once((done) => client.on('event', done));

    await new Promise((resolve) => setTimeout(resolve, firstEnd + 400 - Date.now()));
    await world.writer.call(accountId);
    await event;

    expect(asked).to.equal(2);
    expect(goodbyes).to.deep.equal([]);
  });

  it('comes back with its cursor and a new token after it was closed', async () => {
    const accountId = await world.writer.account();
    const [stopped, fresh] = [newId(), newId()];
    let sessionId = stopped;
    const client = connect({ token: () => tokenFor({ accountId, sessionId }) });
    await once((done) => client.on('board', () => done(null)));
    const seqs: number[] = [];
    client.on('event', ({ seq }) => seqs.push(seq));
    await world.writer.call(accountId);

    world.verdicts.set(stopped, { isValid: false, role: 'admin' });
    sessionId = fresh;
    const error = await once<LiveError>((done) => client.on('error', done));
    const caughtUp = once((done) => client.on('caught_up', done));
    await world.writer.call(accountId);
    await caughtUp;
    const id = await world.writer.call(accountId);
    await once((done) => client.on('event', (event) => event.call.id === id && done(null)));

    expect(error.code).to.equal('token_revoked');
    expect(seqs).to.deep.equal([1, 2, 3]);
  });

  it('tries again while the token is refused, and gives up where that is of no use', async () => {
    const accountId = await world.writer.account();
    let asked = 0;
    const client = connect({ token: () => (++asked < 3 ? 'rubbish' : tokenFor({ accountId })) });
    await once((done) => client.on('connected', () => done(null)));
    const hopeless = connect({ token: () => tokenFor({ accountId }), after: -1 });
    const [code, fatal] = await once<[string, boolean]>((done) =>
      hopeless.on('error', (error, isFatal) => done([error.code, isFatal])),
    );

    expect(asked).to.equal(3);
    expect([code, fatal]).to.deep.equal(['invalid_request', true]);
  });

  it('shows a right board after a reset', async () => {
    const accountId = await world.writer.account();
    for (let i = 0; i < 3; i += 1) await world.writer.call(accountId);
    await world.db('events').where({ account_id: accountId }).delete();
    await world.db('account_counters').where({ account_id: accountId }).update({ pruned_seq: 3 });
    const client = connect({ token: () => tokenFor({ accountId }), after: 1 });

    const [oldest] = await Promise.all([
      once<number>((done) => client.on('reset', done)),
      once((done) => client.on('board', () => done(null))),
    ]);

    expect(oldest).to.equal(4);
    expect(client.board.size).to.equal(3);
    expect(client.seq).to.equal(3);
  });

  it('refuses a filter that the server does not understand, and goes on with the one before', async () => {
    const accountId = await world.writer.account();
    const [stopped, fresh] = [newId(), newId()];
    let sessionId = stopped;
    const client = connect({ token: () => tokenFor({ accountId, sessionId }), filter: { tags: ['vip'] } });
    await once((done) => client.on('board', () => done(null)));

    const error = await client.subscribe({ colour: ['red'] } as never).catch((failure: LiveError) => failure);
    world.verdicts.set(stopped, { isValid: false, role: 'admin' });
    sessionId = fresh;
    await once((done) => client.on('caught_up', done));
    const event = once<{ call: { id: string } }>((done) => client.on('event', done));
    await world.writer.call(accountId, { tags: ['other'] });
    const id = await world.writer.call(accountId, { tags: ['vip'] });

    expect(error).to.have.property('code', 'invalid_request');
    expect((await event).call.id).to.equal(id);
  });

  it('goes on with the filter before when one that it asked for while away is refused', async () => {
    const accountId = await world.writer.account();
    const { client, cut } = connectCuttable(accountId, { filter: { tags: ['vip'] } });
    await once((done) => client.on('board', () => done(null)));
    const errors: [string, boolean][] = [];
    client.on('error', ({ code }, fatal) => errors.push([code, fatal]));

    cut();
    await once((done) => client.on('disconnected', done));
    const code = await codeOf(client.subscribe({ tags: [] }));
    const wasAway = !client.isConnected;
    await once((done) => client.on('caught_up', done));
    const event = once<{ call: { id: string } }>((done) => client.on('event', done));
    await world.writer.call(accountId, { tags: ['other'] });
    const id = await world.writer.call(accountId, { tags: ['vip'] });

    expect([code, wasAway]).to.deep.equal(['invalid_request', true]);
    expect((await event).call.id).to.equal(id);
    expect(errors).to.deep.equal([
      ['token_revoked', false],
      ['invalid_request', false],
    ]);
  });

  it('comes back with a filter that was taken after a later one was refused', async () => {
    const accountId = await world.writer.account();
    const { client, cut } = connectCuttable(accountId);
    await once((done) => client.on('board', () => done(null)));

    const codes = await Promise.all([
      codeOf(client.subscribe({ directions: ['outgoing'] })),
      codeOf(client.subscribe({ tags: [] })),
    ]);
    cut();
    await once((done) => client.on('caught_up', done));
    const event = once<{ call: { id: string } }>((done) => client.on('event', done));
    await world.writer.call(accountId, { direction: 'incoming' });
    const id = await world.writer.call(accountId, { direction: 'outgoing' });

    expect(codes).to.deep.equal(['taken', 'invalid_request']);
    expect((await event).call.id).to.equal(id);
  });

  it('comes back with a filter that had no answer, also after a later one was refused', async () => {
    const accountId = await world.writer.account();
    const { client, cut } = connectCuttable(accountId);
    await once((done) => client.on('board', () => done(null)));

    cut();
    const unanswered = await once<string>((done) =>
      // The server has said goodbye, and no longer answers.
      client.on('error', () => done(codeOf(client.subscribe({ directions: ['outgoing'] })))),
    );
    await once((done) => client.on('caught_up', done));
    const refused = await codeOf(client.subscribe({ tags: [] }));
    cut();
    await once((done) => client.on('caught_up', done));
    const event = once<{ call: { id: string } }>((done) => client.on('event', done));
    await world.writer.call(accountId, { direction: 'incoming' });
    const id = await world.writer.call(accountId, { direction: 'outgoing' });

    expect([unanswered, refused]).to.deep.equal(['no_answer', 'invalid_request']);
    expect((await event).call.id).to.equal(id);
  });

  it('shows the board also when a filter is refused just before it asks for it', async () => {
    const accountId = await world.writer.account();
    const { client, cut } = connectCuttable(accountId);
    await once((done) => client.on('board', () => done(null)));

    cut();
    await once((done) => client.on('disconnected', done));
    const board = once((done) => client.on('board', () => done(null)));
    const code = once<string>((done) => client.on('caught_up', () => done(codeOf(client.subscribe({ tags: [] })))));

    expect(await code).to.equal('invalid_request');
    await board;
  });

  it('refuses filters at once when it is closed', async () => {
    const accountId = await world.writer.account();
    const client = connect({ token: () => tokenFor({ accountId }) });

    const waiting = codeOf(client.subscribe({ tags: ['vip'] }));
    client.close();
    const late = codeOf(client.subscribe({ tags: ['vip'] }));

    expect(await Promise.all([waiting, late])).to.deep.equal(['closed', 'closed']);
  });

  it('shows what a role that was changed meanwhile may see when it comes back', async () => {
    const accountId = await world.writer.account();
    const [userId, stopped] = [newId(), newId()];
    let who = { accountId, userId, sessionId: stopped, role: 'admin' as UserRole };
    const mine = await world.writer.call(accountId, { user_id: userId });
    await world.writer.call(accountId, { user_id: newId() });
    const client = connect({ token: () => tokenFor(who) });
    await once((done) => client.on('board', () => done(null)));

    who = { ...who, sessionId: newId(), role: 'member' };
    world.verdicts.set(stopped, { isValid: false, role: 'admin' });
    await once((done) => client.on('board', () => done(null)));

    expect([...client.board.keys()]).to.deep.equal([mine]);
  });
});
