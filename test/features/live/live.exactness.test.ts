import { expect } from 'chai';
import { type CallEvent, type CallRemoved, connectLive, type LiveClient } from '../../../src/client/index.js';
import { newId } from '../../../src/lib/ids.js';
import { createWorld, type LiveNode, openSocket, tokenFor, type World } from './live-world.js';

/** Always the same turns, so that a failure can be met again. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Follower {
  client: LiveClient;
  events: (CallEvent | CallRemoved)[];
  cut(): void;
}

describe('live exactness', function () {
  this.timeout(60_000);
  let world: World;

  before(async () => {
    world = await createWorld();
  });
  after(() => world.close());

  function follow(node: () => LiveNode, auth: { token: string; after: number }): Follower {
    const events: (CallEvent | CallRemoved)[] = [];
    let client = connect(auth.after);
    function connect(after: number): LiveClient {
      const made = connectLive({ url: node().url, token: () => auth.token, after, retryMs: [5, 50] });
      made.on('event', (event) => events.push(event));
      return made;
    }
    return {
      get client() {
        return client;
      },
      events,
      // As a program that is killed and started anew with the cursor it kept, perhaps on another node.
      cut() {
        client.close();
        client = connect(client.seq ?? 0);
      },
    };
  }

  async function write(accountId: string, users: readonly string[], count: number): Promise<void> {
    for (let i = 0; i < count; i += 1) {
      const id = await world.writer.call(accountId, { user_id: users[i % users.length] ?? null });
      if (i % 3 === 0) await world.writer.tell(accountId, id, 'call.answered');
      if (i % 7 === 0) await world.writer.other(accountId);
      await world.writer.tell(accountId, id, 'call.ended');
    }
  }

  async function until(isTrue: () => boolean): Promise<void> {
    while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 10));
  }

  it('gives each event once and in order, whatever is cut, over two nodes and concurrent writers', async () => {
    const random = dice(11);
    const nodes = [await world.startNode(), await world.startNode()];
    const anyNode = (): LiveNode => nodes[Math.floor(random() * nodes.length)] as LiveNode;
    const accountId = await world.writer.account();
    const users = [newId(), newId(), newId()];
    const admins = [1, 2, 3].map(() => follow(anyNode, { token: tokenFor({ accountId }), after: 0 }));
    const members = users.map((userId) =>
      follow(anyNode, { token: tokenFor({ accountId, userId, role: 'member' }), after: 0 }),
    );
    const followers = [...admins, ...members];

    const writing = Promise.all([1, 2, 3, 4].map(() => write(accountId, users, 25)));
    for (let cuts = 0; cuts < 30; cuts += 1) {
      followers[Math.floor(random() * followers.length)]?.cut();
      await new Promise((resolve) => setTimeout(resolve, random() * 60));
    }
    await writing;
    const stored = await world.db('events').where({ account_id: accountId }).orderBy('seq');
    const calls = stored.filter(({ type }) => type.startsWith('call.'));
    const theirs = users.map((userId) => calls.filter(({ payload }) => payload.user_id === userId));
    const due = [calls, calls, calls, ...theirs].map((rows) => rows.map(({ seq }) => seq as number));
    await until(() => followers.every(({ events }, place) => events.length >= (due[place]?.length ?? 0)));

    followers.forEach(({ events }, place) => {
      expect(events.map(({ seq }) => seq)).to.deep.equal(due[place]);
    });
    for (const { client } of followers) client.close();
  });

  it('loses and doubles nothing when hints are lost, doubled or late', async () => {
    const random = dice(5);
    const honest = world.wakeupsOf();
    const unreliable: typeof honest = {
      publish: () => undefined,
      subscribe: (topic, hear) =>
        honest.subscribe(topic, (hint) => {
          const turn = random();
          if (turn < 0.4) return;
          if (turn < 0.6) hear(hint);
          setTimeout(() => hear(hint), turn * 40);
        }),
      close: async () => undefined,
    };
    const node = await world.startNode({}, unreliable);
    const accountId = await world.writer.account();
    const follower = follow(() => node, { token: tokenFor({ accountId }), after: 0 });

    await Promise.all([write(accountId, [newId()], 15), write(accountId, [newId()], 15)]);
    const newest = await world.writer.newest(accountId);
    await until(() => (follower.events.at(-1)?.seq ?? 0) >= newest);

    const stored = await world.db('events').where({ account_id: accountId }).where('type', 'like', 'call.%');
    expect(follower.events.map(({ seq }) => seq)).to.deep.equal(stored.map(({ seq }) => seq).sort((a, b) => a - b));
    follower.client.close();
  });

  it('says that it has caught up also where a hint of what is in the log was lost', async () => {
    const deaf = { publish: () => undefined, subscribe: () => () => undefined, close: async () => undefined };
    const node = await world.startNode({}, deaf);
    const accountId = await world.writer.account();
    const token = tokenFor({ accountId });
    const early = openSocket(node.url, { token });
    await early.next('snapshot');

    await world.writer.call(accountId);
    const late = openSocket(node.url, { token, after: 0 });
    const caughtUp = await late.next('caught_up');

    expect(caughtUp).to.deep.equal({ seq: 1 });
    expect(late.received.map(({ name }) => name)).to.deep.equal(['connect', 'call.initiated', 'caught_up']);
    for (const socket of [early, late]) socket.close();
  });

  it('changes the filter in the middle of a stream without losing or doubling an event', async () => {
    const node = await world.startNode();
    const accountId = await world.writer.account();
    const users = [newId(), newId()];
    const { client, events } = follow(() => node, { token: tokenFor({ accountId }), after: 0 });
    await until(() => client.isConnected);

    const writing = Promise.all(users.map((userId) => write(accountId, [userId], 20)));
    const changes: { seq: number; user: string | null }[] = [{ seq: 0, user: null }];
    for (let i = 0; i < 12; i += 1) {
      const user = [users[0] as string, users[1] as string, null][i % 3] ?? null;
      const seq = await client.subscribe(user === null ? {} : { user_ids: [user] });
      changes.push({ seq, user });
    }
    await writing;
    await client.subscribe({});
    const newest = await world.writer.newest(accountId);
    await until(() => client.seq === newest);

    const stored = await world.db('events').where({ account_id: accountId }).orderBy('seq');
    const filterAt = (seq: number): string | null => changes.findLast((change) => change.seq < seq)?.user ?? null;
    const expected = stored.filter(
      ({ seq, type, payload }) =>
        type.startsWith('call.') && (filterAt(seq) === null || filterAt(seq) === payload.user_id),
    );
    const lastChange = changes.at(-1)?.seq ?? 0;
    const settled = (rows: { seq: number }[]): number[] =>
      rows.map(({ seq }) => seq).filter((seq) => seq <= lastChange);
    expect(settled(events)).to.deep.equal(settled(expected));
    client.close();
  });

  it('keeps the board as the calls in progress are', async () => {
    const node = await world.startNode();
    const accountId = await world.writer.account();
    await world.writer.call(accountId);
    const { client } = follow(() => node, { token: tokenFor({ accountId }), after: 0 });

    await write(accountId, [newId()], 5);
    const open = await world.writer.call(accountId, { tags: ['open'] });
    const newest = await world.writer.newest(accountId);
    await until(() => client.seq === newest && client.board.size === 2);

    const rows = await world.db('call_logs').where({ account_id: accountId }).whereNot({ status: 'ended' });
    expect([...client.board.keys()].sort()).to.deep.equal(rows.map(({ id }) => id).sort());
    expect(client.board.get(open)?.tags).to.deep.equal(['open']);
    client.close();
  });
});
