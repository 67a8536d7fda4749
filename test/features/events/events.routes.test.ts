import { expect } from 'chai';
import { createEventRoutes } from '../../../src/features/events/events.routes.js';
import type { Actor } from '../../../src/http/actor.js';
import type { Reply } from '../../../src/http/route.js';
import { AppError } from '../../../src/lib/errors.js';
import { newId } from '../../../src/lib/ids.js';
import { createWorld, type World } from '../live/live-world.js';

describe('event routes', function () {
  this.timeout(30_000);
  let world: World;

  before(async () => {
    world = await createWorld();
  });
  after(() => world.close());

  const actorOf = (accountId: string, parts: Partial<Actor> = {}): Actor => ({
    kind: 'user',
    accountId,
    userId: newId(),
    apiKeyId: null,
    role: 'admin',
    scopes: null,
    sessionId: null,
    expiresAt: null,
    ...parts,
  });

  /** Asks the route as the frame would, its query checked. */
  async function ask(path: string, actor: Actor, query: Record<string, string> = {}) {
    const route = createEventRoutes({ db: world.db, clock: { now: () => Date.now() } }).find(
      (row) => row.path === path,
    );
    const url = new URL(`http://test${path}?${new URLSearchParams(query)}`);
    const { value } = route?.query?.validate(query) ?? { value: {} };
    await route?.permit?.({ actor, params: {} });
    const reply = (await route?.handle({ actor, query: value, url } as never)) as Reply;
    return { body: reply.body as { seq: number; type: string }[], link: reply.headers.Link };
  }

  it('pages through the call events of the log by its cursor', async () => {
    const accountId = await world.writer.account();
    for (let i = 0; i < 3; i += 1) await world.writer.call(accountId);
    await world.writer.other(accountId);
    await world.writer.call(accountId);
    const actor = actorOf(accountId);

    const first = await ask('/api/call_events/', actor, { limit: '2' });
    const second = await ask('/api/call_events/', actor, { limit: '2', after: '2' });

    expect(first.body.map(({ seq }) => seq)).to.deep.equal([1, 2]);
    expect(first.link).to.equal('</api/call_events/?limit=2&after=2>; rel="next"');
    expect(second.body.map(({ seq }) => seq)).to.deep.equal([3, 5]);
    expect(second.link).to.equal(undefined);
    expect(second.body[0]).to.have.all.keys('seq', 'type', 'occurred_at', 'received_at', 'sent_at', 'call');
  });

  it('shows a member their calls alone', async () => {
    const accountId = await world.writer.account();
    const member = actorOf(accountId, { role: 'member' });
    await world.writer.call(accountId, { user_id: newId() });
    await world.writer.call(accountId, { user_id: member.userId });

    const { body } = await ask('/api/call_events/', member);

    expect(body.map(({ seq }) => seq)).to.deep.equal([2]);
  });

  it('answers 410 to a cursor that is too old or too new, never to 0', async () => {
    const accountId = await world.writer.account();
    for (let i = 0; i < 3; i += 1) await world.writer.call(accountId);
    await world.db('events').where({ account_id: accountId }).where('seq', '<=', 2).delete();
    await world.db('account_counters').where({ account_id: accountId }).update({ pruned_seq: 2 });
    const actor = actorOf(accountId);
    const failure = (after: string) => ask('/api/call_events/', actor, { after }).catch((error: unknown) => error);

    const all = await ask('/api/call_events/', actor, { after: '0' });
    const fitting = await ask('/api/call_events/', actor, { after: '2' });

    for (const after of ['1', '4']) {
      const error = (await failure(after)) as AppError;
      expect(error).to.be.instanceOf(AppError).and.include({ status: 410, code: 'cursor_expired' });
      expect(error.details).to.deep.equal({ oldest_seq: 3 });
    }
    expect([all, fitting].map(({ body }) => body.map(({ seq }) => seq))).to.deep.equal([[3], [3]]);
  });

  it('shows everything on the log to an admin, and to a key that may read all of it', async () => {
    const accountId = await world.writer.account();
    await world.writer.call(accountId);
    await world.writer.other(accountId);
    const keyOf = (scopes: string[]) =>
      actorOf(accountId, { kind: 'api_key', apiKeyId: newId(), userId: null, scopes: new Set(scopes) as never });

    const { body } = await ask('/api/events/', actorOf(accountId));
    const whole = await ask('/api/events/', keyOf(['calls:read', 'numbers:read', 'port_orders:read']));
    const refused = (await ask('/api/events/', keyOf(['calls:read'])).catch((error: unknown) => error)) as AppError;

    expect(body.map(({ type }) => type)).to.deep.equal(['call.initiated', 'number.updated']);
    expect(body[1]).to.have.property('virtual_number');
    expect(whole.body).to.have.lengthOf(2);
    expect(refused.code).to.equal('insufficient_scope');
  });
});
