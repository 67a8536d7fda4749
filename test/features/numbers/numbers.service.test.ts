import { expect } from 'chai';
import { findHoldings } from '../../../src/features/numbers/index.js';
import type { Actor } from '../../../src/http/actor.js';
import type { AppError } from '../../../src/lib/errors.js';
import { run } from '../../../src/platform/db/statement.js';
import { type Answer, freshNumber, type NumberDoors, openNumberDoors } from './number-doors.js';

const LIST = '/api/virtual_numbers/';

const statusCounts = (answers: readonly Answer[]): Record<number, number> => {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};

describe('holding a number', () => {
  let doors: NumberDoors;
  before(async () => {
    doors = await openNumberDoors();
  });
  after(() => doors.close());

  const patch = (as: Actor, id: string, json: object) => doors.ask(`${LIST}${id}/`, { as, method: 'PATCH', json });
  const release = (as: Actor, id: string) => doors.ask(`${LIST}${id}/`, { as, method: 'DELETE' });
  const spansOf = async (number: string) =>
    ((await run(doors.db, findHoldings([number]))).get(number) ?? []).map((span) => [
      ...[span.accountId, span.userId, span.from, span.until],
    ]);
  const eventsOf = async (accountId: string) => {
    const { rows } = await doors.db.raw(
      'select seq, type, payload, before from events where account_id = ? order by seq',
      [accountId],
    );
    return rows as { type: string; payload: Record<string, unknown>; before: unknown }[];
  };

  it('keeps spans, history and events of claim, assignment, change and release', async () => {
    const account = await doors.account();
    const admin = await doors.user(account);
    const member = await doors.user(account, 'member');
    const number = freshNumber();
    const start = doors.time.now;

    const { body } = await doors.add(admin, { phone_number: number });
    doors.time.now = start + 1000;
    await patch(admin, body.id, { user_id: member.userId, label: 'Desk' });
    doors.time.now = start + 2000;
    await patch(member, body.id, { is_active: false });
    doors.time.now = start + 3000;
    await release(admin, body.id);

    expect(await spansOf(number)).to.deep.equal([
      [account, null, start, start + 1000],
      [account, member.userId, start + 1000, start + 3000],
    ]);
    const history = (await doors.ask(`${LIST}${body.id}/history/`, { as: admin })).body;
    const told = history.map((entry: Record<string, unknown>) => [entry.action, entry.by_user_id, entry.changes]);
    expect(told).to.deep.equal([
      ['released', admin.userId, { user_id: { from: member.userId, to: null } }],
      ['updated', member.userId, { is_active: { from: true, to: false } }],
      ['updated', admin.userId, { label: { from: null, to: 'Desk' } }],
      ['assigned', admin.userId, { user_id: { from: null, to: member.userId } }],
      ['claimed', admin.userId, { phone_number: { from: null, to: number }, is_active: { from: null, to: true } }],
    ]);
    expect(history[0].at).to.equal(new Date(start + 3000).toISOString());
    const events = await eventsOf(account);
    expect(events.map(({ type }) => type)).to.deep.equal([
      ...['number.created', 'number.assigned', 'number.updated', 'number.updated', 'number.released'],
    ]);
    expect(events[0]?.payload).to.deep.equal(body);
    expect(events[1]?.before).to.deep.equal({ user_id: null });
    expect(doors.announced).to.include(number);
  });

  it('names the API key that did something', async () => {
    const account = await doors.account();
    const [admin, key, other] = [await doors.user(account), doors.key(account), doors.key(account)];

    const { body } = await doors.add(key, { phone_number: freshNumber() });
    await patch(other, body.id, { label: 'Desk', user_id: admin.userId });
    await doors.eventLog.transaction((tx, record) =>
      doors.numbers.service.unassignNumbersOf(tx, record, {
        ...{ accountId: account, userId: admin.userId ?? '', byUserId: null, byApiKeyId: key.apiKeyId },
      }),
    );
    await patch(admin, body.id, { label: null });
    await release(other, body.id);

    const history = (await doors.ask(`${LIST}${body.id}/history/`, { as: admin })).body;
    const told = history.map((e: Record<string, unknown>) => [e.action, e.by_user_id, e.by_api_key_id]);
    expect(told).to.deep.equal([
      ['released', null, other.apiKeyId],
      ['updated', admin.userId, null],
      ['assigned', null, key.apiKeyId],
      ['updated', null, other.apiKeyId],
      ['assigned', null, other.apiKeyId],
      ['claimed', null, key.apiKeyId],
    ]);
  });

  it('shows the account’s earlier times in the history, and nothing of other accounts’', async () => {
    const [one, other] = [await doors.user(await doors.account()), await doors.user(await doors.account())];
    const number = freshNumber();
    const claim = async (as: Actor) => (await doors.add(as, { phone_number: number })).body.id;

    await release(one, await claim(one));
    await release(other, await claim(other));
    const id = await claim(one);

    const { body, headers } = await doors.ask(`${LIST}${id}/history/?limit=2`, { as: one });
    expect(body.map((entry: { action: string }) => entry.action)).to.deep.equal(['claimed', 'released']);
    const next = /<(.*)>; rel="next"/.exec(headers.get('link') ?? '')?.[1] ?? '';
    const rest = await doors.ask(next, { as: one });
    expect(rest.body.map((entry: { action: string }) => entry.action)).to.deep.equal(['claimed']);
    expect(await spansOf(number)).to.have.lengthOf(3);
  });

  it('never lets spans overlap, not even when a clock goes back', async () => {
    const admin = await doors.user(await doors.account());
    const number = freshNumber();
    const start = doors.time.now;

    const first = await doors.add(admin, { phone_number: number });
    doors.time.now = start + 5000;
    await release(admin, first.body.id);
    doors.time.now = start;
    const second = await doors.add(admin, { phone_number: number });
    await release(admin, second.body.id);

    expect((await spansOf(number)).map(([, , from, until]) => [from, until])).to.deep.equal([
      [start, start + 5000],
      [start + 5000, start + 5000],
    ]);
  });

  it('gives a new number to one of 200 who ask at the same moment, and 400 to the rest', async function () {
    this.timeout(60_000);
    const account = await doors.account();
    const people = await Promise.all([doors.user(account), doors.user(account), doors.user(await doors.account())]);
    const number = freshNumber();

    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, i) => doors.add(people[i % 3] as Actor, { phone_number: number })),
    );

    expect(statusCounts(answers)).to.deep.equal({ 201: 1, 400: 199 });
    for (const { status, body } of answers)
      if (status === 400) expect(body.phone_number).to.deep.equal(['Phone number already exists.']);
    expect(await spansOf(number)).to.have.lengthOf(1);
  });

  it('loses no change of many who change a number at the same moment', async () => {
    const account = await doors.account();
    const users = await Promise.all(Array.from({ length: 20 }, () => doors.user(account)));
    const number = freshNumber();
    const { body } = await doors.add(users[0] as Actor, { phone_number: number });

    const answers = await Promise.all(users.map((user) => patch(user, body.id, { user_id: user.userId })));

    expect(statusCounts(answers)).to.deep.equal({ 200: 20 });
    const history = (await doors.ask(`${LIST}${body.id}/history/`, { as: users[0] as Actor })).body;
    expect(history).to.have.lengthOf(21);
    const spans = await spansOf(number);
    expect(spans.filter(([, , , until]) => until === null)).to.have.lengthOf(1);
    expect(spans).to.have.lengthOf(21);
  });

  it('unassigns the numbers of a user who is removed', async () => {
    const account = await doors.account();
    const [admin, member] = [await doors.user(account), await doors.user(account, 'member')];
    const number = freshNumber();
    const { body } = await doors.add(member, { phone_number: number });
    const kept = await doors.add(admin, { phone_number: freshNumber(), user_id: admin.userId });
    doors.time.now += 1000;

    await doors.eventLog.transaction((tx, record) =>
      doors.numbers.service.unassignNumbersOf(tx, record, {
        ...{ accountId: account, userId: member.userId ?? '', byUserId: admin.userId, byApiKeyId: null },
      }),
    );

    const after = await doors.ask(LIST, { as: admin });
    expect(after.body.map((n: { user_id: string }) => n.user_id)).to.deep.equal([null, kept.body.user_id]);
    expect((await spansOf(number)).map(([, user]) => user)).to.deep.equal([member.userId, null]);
    expect((await eventsOf(account)).at(-1)).to.deep.include({
      type: 'number.assigned',
      before: { user_id: member.userId },
    });
    expect((await doors.ask(`${LIST}${body.id}/history/`, { as: admin })).body[0].action).to.equal('assigned');
  });

  it('makes ported numbers the account’s, or none of them when somebody holds one', async () => {
    const account = await doors.account();
    const operator = await doors.user(account, 'operator');
    const [held, free, more] = [freshNumber(), freshNumber(), freshNumber()];
    await doors.add(await doors.user(await doors.account()), { phone_number: held });
    const port = (numbers: string[]) =>
      doors.eventLog.transaction((tx, record) =>
        doors.numbers.service.claimPortedNumbers(tx, record, {
          ...{ accountId: account, numbers, byUserId: operator.userId, at: doors.time.now },
        }),
      );

    const refused: AppError = await port([free, held]).then(
      () => expect.fail('was ported'),
      (error) => error,
    );
    const ported = await port([free, more]);

    expect([refused.code, refused.status, refused.details]).to.deep.equal([
      'number_taken',
      409,
      { phone_numbers: [held] },
    ]);
    expect(refused.message).to.contain(held);
    expect(ported.map(({ phoneNumber }) => phoneNumber)).to.have.members([free, more]);
    const history = await doors.ask(`${LIST}${ported[0]?.id}/history/`, { as: operator });
    expect(history.body[0]).to.include({ action: 'ported', by_user_id: operator.userId });
    expect(await spansOf(free)).to.have.lengthOf(1);
  });
});

describe('a number in quarantine', () => {
  let doors: NumberDoors;
  before(async () => {
    doors = await openNumberDoors({ NUMBER_QUARANTINE: '60' });
  });
  after(() => doors.close());

  it('goes back to its last holder alone, also when 199 others ask at the same moment', async function () {
    this.timeout(60_000);
    const holder = await doors.user(await doors.account());
    const others = await Promise.all([1, 2, 3].map(async () => doors.user(await doors.account())));
    const number = freshNumber();
    const { body } = await doors.add(holder, { phone_number: number });
    await doors.ask(`${LIST}${body.id}/`, { as: holder, method: 'DELETE' });
    doors.time.now += 59_999;

    const asking = Array.from({ length: 200 }, (_, i) => (i === 120 ? holder : (others[i % 3] as Actor)));
    const answers = await Promise.all(asking.map((as) => doors.add(as, { phone_number: number })));

    expect(statusCounts(answers)).to.deep.equal({ 201: 1, 400: 199 });
    expect(answers[120]?.status).to.equal(201);
    for (const [i, answer] of answers.entries())
      if (i !== 120) expect(answer.body.phone_number).to.deep.equal(['Phone number already exists.']);
  });

  it('is anybody’s when its time is over', async () => {
    const [holder, other] = [await doors.user(await doors.account()), await doors.user(await doors.account())];
    const number = freshNumber();
    const { body } = await doors.add(holder, { phone_number: number });
    await doors.ask(`${LIST}${body.id}/`, { as: holder, method: 'DELETE' });

    const early = await doors.add(other, { phone_number: number });
    doors.time.now += 60_000;
    const late = await doors.add(other, { phone_number: number });

    expect([early.status, late.status]).to.deep.equal([400, 201]);
  });

  it('never slips through between a release and a claim', async () => {
    const [holder, other] = [await doors.user(await doors.account()), await doors.user(await doors.account())];

    for (let round = 0; round < 15; round += 1) {
      const number = freshNumber();
      const { body } = await doors.add(holder, { phone_number: number });

      const [released, ...claims] = await Promise.all([
        doors.ask(`${LIST}${body.id}/`, { as: holder, method: 'DELETE' }),
        ...Array.from({ length: 6 }, () => doors.add(other, { phone_number: number })),
      ]);

      expect([released?.status, ...claims.map(({ status }) => status)]).to.deep.equal([204, ...Array(6).fill(400)]);
    }
  });
});

describe('NUMBER_CLAIMS=operator', () => {
  let doors: NumberDoors;
  before(async () => {
    doors = await openNumberDoors({ NUMBER_CLAIMS: 'operator' });
  });
  after(() => doors.close());

  it('lets operators alone add numbers that nobody held; one that was held is anybody’s', async () => {
    const [operator, admin] = [
      await doors.user(await doors.account(), 'operator'),
      await doors.user(await doors.account()),
    ];
    const number = freshNumber();

    const closed = await doors.add(admin, { phone_number: number });
    const { body } = await doors.add(operator, { phone_number: number });
    const taken = await doors.add(admin, { phone_number: number });
    await doors.ask(`${LIST}${body.id}/`, { as: operator, method: 'DELETE' });
    const open = await doors.add(admin, { phone_number: number });

    expect([closed.status, closed.body.code]).to.deep.equal([403, 'permission_denied']);
    expect([taken.status, open.status]).to.deep.equal([400, 201]);
  });

  it('is kept by a bulk create, row by row', async () => {
    const admin = await doors.user(await doors.account());

    const { body } = await doors.ask(`${LIST}bulk/`, { as: admin, json: { numbers: [freshNumber()] } });

    expect(body).to.deep.include({ created: 0, refused: 1 });
    expect(body.results[0]).to.deep.include({ row: 1, status: 'invalid' });
  });
});
