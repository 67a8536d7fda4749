import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect } from 'chai';
import type { NewWebhook } from '../../../src/features/ingestion/inbound-webhook.js';
import { createInboxBatcher } from '../../../src/features/ingestion/inbox-batcher.js';
import { insertWebhooks } from '../../../src/features/ingestion/inbox-inserts.js';
import { newId } from '../../../src/lib/ids.js';
import { type Inbox, openInboxes } from './inbox-bench.js';

describe('the group commit of the inbox', () => {
  let inbox: Inbox;
  let close: () => Promise<void>;
  before(async () => {
    ({ first: inbox, close } = await openInboxes(1));
  });
  after(() => close());

  const webhook = (deliveryKey: string): NewWebhook => ({
    ...{ id: newId(), carrierId: newId(), accountId: null, provider: 'generic', deliveryKey },
    ...{ status: 'pending', code: null, detail: null, method: 'POST', path: '/', headers: {} },
    ...{ body: Buffer.from('{}'), receivedAt: 0 },
  });

  it('takes what has arrived in one turn with one statement', async () => {
    const { db } = inbox;
    const batcher = createInboxBatcher(db);
    const statements: string[] = [];
    db.on('query', ({ sql }: { sql: string }) => statements.push(sql));

    const stored = await Promise.all(Array.from({ length: 20 }, (_, place) => batcher.store(webhook(String(place)))));

    expect(stored.every(({ isNew }) => isNew)).to.equal(true);
    expect(statements).to.have.length(1);
  });

  it('stores what comes to two processes in opposite orders', async () => {
    const [one, other] = [createInboxBatcher(inbox.db), createInboxBatcher(inbox.db)];
    const carrierId = newId();
    for (let round = 0; round < 20; round += 1) {
      const keys = Array.from({ length: 50 }, (_, place) => `${round}-${place}`);
      const [forth, back] = await Promise.all([
        Promise.all(keys.map((key) => one.store({ ...webhook(key), carrierId }))),
        Promise.all(keys.toReversed().map((key) => other.store({ ...webhook(key), carrierId }))),
      ]);
      const stored = forth.map(({ isNew }, place) => [isNew, back.at(-1 - place)?.isNew]);
      for (const pair of stored) expect(pair).to.have.members([true, false]);
    }
  });

  it('stores each body of a statement byte by byte', async () => {
    const bodies = ['{}', '', 'a\u0000b', '"\\ud800"', 'ü\\"\'\n'].map((text) => Buffer.from(text));
    bodies.push(Buffer.from([0xff, 0x00, 0xc3, 0x28]), Buffer.from('{"last":true}'));
    const webhooks = bodies.map((body, place) => ({ ...webhook(`body ${place}`), body }));

    await insertWebhooks(inbox.db, webhooks);

    const ids = webhooks.map(({ id }) => id);
    const rows = await inbox.db('seen_webhooks').whereIn('id', ids).orderBy('id').select('delivery_key', 'body');
    expect(rows).to.deep.equal(webhooks.map(({ deliveryKey, body }) => ({ delivery_key: deliveryKey, body })));
  });

  /** How many statements have asked for a connection of the pool, which each does as it is sent. */
  function countStatements() {
    const pool = inbox.db.client.pool;
    let count = 0;
    const hear = (): void => {
      count += 1;
    };
    pool.on('acquireRequest', hear);
    return { sent: () => count, stop: () => pool.removeListener('acquireRequest', hear) };
  }

  it('gathers while the worker is behind, until 56 wait, and then again', async () => {
    const batcher = createInboxBatcher(inbox.db, { isBehind: () => true });
    const store = (count: number) => Array.from({ length: count }, () => batcher.store(webhook(newId())));
    const statements = countStatements();
    try {
      const stored = store(55);
      await nextTurn();
      expect(statements.sent()).to.equal(0);
      stored.push(...store(1));
      await nextTurn();
      expect(statements.sent()).to.equal(1);
      stored.push(...store(55));
      await nextTurn();
      expect(statements.sent()).to.equal(1);
      await Promise.all(stored);
    } finally {
      statements.stop();
    }
  });

  it('stores at once again as soon as the worker is behind no longer', async () => {
    let isBehind = true;
    const batcher = createInboxBatcher(inbox.db, { isBehind: () => isBehind });
    const statements = countStatements();
    try {
      const gathered = batcher.store(webhook('gathered'));
      await nextTurn();
      expect(statements.sent()).to.equal(0);
      isBehind = false;
      const lone = batcher.store(webhook('lone'));
      await nextTurn();
      expect(statements.sent()).to.equal(1);
      await Promise.all([gathered, lone]);
      expect(statements.sent()).to.equal(1);
    } finally {
      statements.stop();
    }
  });

  /** A batcher beside a worker that is free when it is told to, and stores at once what it gets. */
  function besideWorker() {
    const got: string[][] = [];
    let busy: Promise<void> | null = null;
    let free: () => void = () => undefined;
    const batcher = createInboxBatcher(inbox.db, {
      soonFree: () => busy,
      storeAndWorkOff(webhooks) {
        if (busy) return null;
        got.push(webhooks.map(({ deliveryKey }) => deliveryKey));
        return insertWebhooks(inbox.db, webhooks).then(({ size }) => size > 0);
      },
    });
    const work = (): void => {
      busy = new Promise((resolve) => {
        free = () => {
          busy = null;
          resolve();
        };
      });
    };
    return { batcher, got, work, free: () => free() };
  }

  it('has few wait for a worker that is free soon, which then gets all that have come meanwhile', async () => {
    const { batcher, got, work, free } = besideWorker();
    const statements = countStatements();
    work();
    try {
      const carrierId = newId();
      const first = batcher.store({ ...webhook('first'), carrierId });
      await nextTurn();
      const rest = Array.from({ length: 47 }, (_, place) =>
        batcher.store({ ...webhook(`later ${place + 10}`), carrierId }),
      );
      await nextTurn();
      expect([got.length, statements.sent()]).to.deep.equal([0, 0]);
      free();
      await nextTurn();
      await nextTurn();
      expect(got.map((keys) => keys.length)).to.deep.equal([48]);
      const stored = await Promise.all([first, ...rest]);
      expect(stored.every(({ isNew }) => isNew)).to.equal(true);
    } finally {
      statements.stop();
    }
  });

  it('has more than 48 wait for nobody, and few no longer than a tenth of a second', async () => {
    const { batcher, got, work } = besideWorker();
    const statements = countStatements();
    work();
    try {
      const stored = Array.from({ length: 49 }, () => batcher.store(webhook(newId())));
      await nextTurn();
      expect(statements.sent()).to.equal(1);
      await Promise.all(stored);
      await batcher.store(webhook(newId()));
      expect(got).to.deep.equal([]);
    } finally {
      statements.stop();
    }
  });

  it('stores a repeated delivery apart from those that are worked off at once', async () => {
    const { batcher, got } = besideWorker();
    const carrierId = newId();
    const store = (key: string) => batcher.store({ ...webhook(key), carrierId });
    await store('one');

    const stored = await Promise.all([store('one'), store('two'), store('three')]);

    expect(got).to.deep.equal([['one'], ['three', 'two']]);
    expect(stored.map(({ isNew }) => isNew)).to.deep.equal([false, true, true]);
  });

  it('has no more than four megabytes worked off at once', async () => {
    const { batcher, got } = besideWorker();
    const store = (key: string, bytes: number) => batcher.store({ ...webhook(key), body: Buffer.alloc(bytes, 32) });

    await Promise.all([store('large', 3_000_000), store('as large', 3_000_000), store('small', 10)]);
    await Promise.all([store('large', 3_000_000), store('not so', 1_000_000)]);

    expect(got.filter((keys) => keys.includes('large') && keys.includes('as large'))).to.deep.equal([]);
    expect(got.map((keys) => keys.toSorted())).to.deep.include(['large', 'not so']);
  });

  it('is drained when the webhook that came last is stored, also one that waits for more', async () => {
    for (const isBehind of [false, true]) {
      const batcher = createInboxBatcher(inbox.db, { isBehind: () => isBehind });
      const late = webhook(`late ${isBehind}`);

      void batcher.store(late);
      await batcher.drained();

      const { rows } = await inbox.db.raw('select 1 from inbound_webhooks where id = ?', [late.id]);
      expect(rows).to.have.length(1);
    }
  });
});
