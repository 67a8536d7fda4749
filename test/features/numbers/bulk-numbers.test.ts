import { expect } from 'chai';
import { findHoldings } from '../../../src/features/numbers/index.js';
import { run } from '../../../src/platform/db/statement.js';
import { freshNumber, type NumberDoors, openNumberDoors } from './number-doors.js';

const LIST = '/api/virtual_numbers/';
const BULK = '/api/virtual_numbers/bulk/';
const CSV = { 'content-type': 'text/csv' };
const TAKEN = { phone_number: ['Phone number already exists.'] };

describe('many numbers at once', () => {
  let doors: NumberDoors;
  before(async () => {
    doors = await openNumberDoors();
  });
  after(() => doors.close());

  const someone = async () => {
    const account = await doors.account();
    return { account, admin: await doors.user(account), member: await doors.user(account, 'member') };
  };
  const countHeld = async (account: string): Promise<number> => {
    const { rows } = await doors.db.raw('select count(*) from virtual_numbers where account_id = ?', [account]);
    return rows[0].count;
  };

  it('makes the good rows and says of each other what is wrong with it', async () => {
    const { account, admin, member } = await someone();
    const [held, a, b, c] = [freshNumber(), freshNumber(), freshNumber(), freshNumber()];
    await doors.add(await doors.user(await doors.account()), { phone_number: held });
    const stranger = await doors.user(await doors.account());
    const numbers = [
      { phone_number: a, label: 'A', tags: ['t'], user_id: member.userId },
      { phone_number: 'x', is_active: 'maybe' },
      { phone_number: held },
      { phone_number: b, colour: 'red' },
      { phone_number: a.replace('+', '') },
      { phone_number: b, user_id: stranger.userId },
      b,
      null,
      { phone_number: '0612345678', country: 'FR' },
      Number(c.slice(1)),
    ];

    const { status, body } = await doors.ask(BULK, { as: admin, json: { numbers } });

    expect(status).to.equal(200);
    const list = (await doors.ask(LIST, { as: admin })).body;
    const ids = Object.fromEntries(list.map((n: { phone_number: string; id: string }) => [n.phone_number, n.id]));
    expect(body).to.deep.equal({
      created: 4,
      refused: 6,
      results: [
        { row: 1, status: 'created', id: ids[a], phone_number: a },
        {
          ...{ row: 2, status: 'invalid' },
          errors: { phone_number: ['Phone number must be 8-15 digits'], is_active: ['Must be a valid boolean.'] },
        },
        { row: 3, status: 'duplicate', phone_number: held, errors: TAKEN },
        { row: 4, status: 'invalid', phone_number: b, errors: { colour: ['Unknown field.'] } },
        { row: 5, status: 'duplicate', phone_number: a, errors: TAKEN },
        { row: 6, status: 'invalid', phone_number: b, errors: { user_id: ['No such user in this account.'] } },
        { row: 7, status: 'created', id: ids[b], phone_number: b },
        { row: 8, status: 'invalid', errors: { non_field_errors: ['No data provided'] } },
        { row: 9, status: 'created', id: ids['+33612345678'], phone_number: '+33612345678' },
        { row: 10, status: 'created', id: ids[c], phone_number: c },
      ],
    });
    expect(list[0]).to.deep.include({ label: 'A', tags: ['t'], user_id: member.userId });
    const { rows } = await doors.db.raw('select type from events where account_id = ?', [account]);
    expect(rows).to.deep.equal(Array(4).fill({ type: 'number.created' }));
    expect(doors.announced).to.include.members([a, b, c]);
    expect((await run(doors.db, findHoldings([a]))).get(a)).to.have.lengthOf(1);
  });

  it('judges the same on a dry run and makes nothing', async () => {
    const { account, admin } = await someone();
    const [held, free] = [freshNumber(), freshNumber()];
    await doors.add(await doors.user(await doors.account()), { phone_number: held });

    const { body } = await doors.ask(`${BULK}?dry_run=true`, {
      ...{ as: admin, json: { numbers: [free, held, free, 'x'] } },
    });

    expect(body).to.deep.include({ created: 1, refused: 3 });
    expect(body.results.map((r: { status: string }) => r.status)).to.deep.equal([
      ...['created', 'duplicate', 'duplicate', 'invalid'],
    ]);
    expect(body.results[0]).to.deep.equal({ row: 1, status: 'created', phone_number: free });
    expect(await countHeld(account)).to.equal(0);
  });

  it('reads a CSV with a header', async () => {
    const { admin, member } = await someone();
    const [a, b, c] = [freshNumber(), freshNumber(), freshNumber()];
    const csv = [
      '\ufeffPhone_Number,label,tags,is_active,user_id',
      `"${a}","Desk, front",vip;sales,no,${member.userId}`,
      `${b},,,,`,
      '',
      `${c},x,,yes,,surplus`,
      'x',
      ' (06) 12 34 ',
    ].join('\r\n');

    const { body } = await doors.ask(BULK, { as: admin, body: csv, headers: CSV });

    expect(body.results.map((r: { row: number; status: string }) => [r.row, r.status])).to.deep.equal([
      ...[
        [1, 'created'],
        [2, 'created'],
        [3, 'invalid'],
        [4, 'invalid'],
        [5, 'invalid'],
      ],
    ]);
    const list = (await doors.ask(LIST, { as: admin })).body;
    expect(list[0]).to.deep.include({ label: 'Desk, front', tags: ['vip', 'sales'], is_active: false });
    expect(list[1]).to.deep.include({ label: null, tags: [], is_active: true, user_id: null });
  });

  it('reads a CSV with semicolons', async () => {
    const { admin } = await someone();
    const number = freshNumber();

    const { body } = await doors.ask(BULK, {
      ...{ as: admin, body: `phone_number;label;tags\n${number};Desk;"a;b"\n`, headers: CSV },
    });

    expect(body.created).to.equal(1);
    expect((await doors.ask(LIST, { as: admin })).body[0]).to.deep.include({ label: 'Desk', tags: ['a', 'b'] });
  });

  it('passes over empty lines, as text and as spreadsheets write them, and over empty tags', async () => {
    const { admin } = await someone();
    const [a, b, c] = [freshNumber(), freshNumber(), freshNumber()];

    const semicolons = await doors.ask(BULK, {
      ...{ as: admin, headers: CSV },
      body: `\ufeff;;\r\n \r\n"phone_number";label;tags\r\n;;\r\n${a};x;"sales;"\r\n;\r\n${b};y;";"\r\n;;\r\n`,
    });
    const commas = await doors.ask(BULK, {
      ...{ as: admin, headers: CSV },
      body: `\n,,\nphone_number,label,tags\n,,\n${c},z,; vip ;;x\n , ,\n,,,,\n`,
    });

    const told = [semicolons, commas].map(({ body }) =>
      body.results?.map((r: { row: number; status: string }) => [r.row, r.status]),
    );
    expect(told).to.deep.equal([
      [
        [1, 'created'],
        [2, 'created'],
      ],
      [[1, 'created']],
    ]);
    const list = (await doors.ask(LIST, { as: admin })).body;
    expect(list.map((n: { tags: string[] }) => n.tags)).to.deep.equal([['sales'], [], ['vip', 'x']]);
  });

  it('refuses a whole that cannot be judged by rows', async () => {
    const { account, admin } = await someone();
    const tooMany = Array.from({ length: 10_001 }, () => 'x');
    const askings: [object, string][] = [
      [{ json: {} }, 'numbers'],
      [{ json: { numbers: 'x' } }, 'numbers'],
      [{ json: { numbers: tooMany } }, 'numbers'],
      [{ body: `phone_number\n${tooMany.join('\n')}`, headers: CSV }, 'numbers'],
      [{ body: 'phone_number,colour\n1,2\n', headers: CSV }, 'colour'],
      [{ body: 'label\nx\n', headers: CSV }, 'phone_number'],
      [{ body: '\n,,\n', headers: CSV }, 'phone_number'],
      [{ body: 'phone_number,phone_number\nx,y\n', headers: CSV }, 'header'],
      [{ body: 'phone_number\n"x\n', headers: CSV }, 'detail'],
      [{ method: 'POST' }, 'numbers'],
      [{ json: { numbers: Array(600_000).fill(1), colour: 'red' } }, 'numbers'],
      [{ body: `${'x'.repeat(70_000)}\n1\n`, headers: CSV }, 'detail'],
      [{ body: `phone_number\n${'\n'.repeat(640_000)}`, headers: CSV }, 'detail'],
    ];

    for (const [asking, member] of askings) {
      const { status, body } = await doors.ask(BULK, { as: admin, ...asking });

      expect([status, body[member] !== undefined], JSON.stringify(body)).to.deep.equal([400, true]);
    }
    const xml = await doors.ask(BULK, { as: admin, body: '<a/>', headers: { 'content-type': 'application/xml' } });
    expect(xml.status).to.equal(415);
    expect(await countHeld(account)).to.equal(0);
  });

  it('judges ten thousand rows of all members and 50 tags, and of none more than that', async function () {
    this.timeout(120_000);
    const { admin } = await someone();
    const tags = Array.from({ length: 50 }, (_, place) => `tag ${place}`);
    const row = { phone_number: 'x', label: 'x', country: null, is_active: true, user_id: null, carrier_id: null };
    const numbers = Array(10_000).fill({ ...row, id: 'x', tags });
    const csv = `phone_number,label,tags\n${`x,x,${tags.join(';')}\r\n`.repeat(10_000)}`;
    const tooMany = { ...row, tags: Array(60).fill('x') };

    const [json, lines, large] = [
      await doors.ask(`${BULK}change/`, { as: admin, json: { numbers } }),
      await doors.ask(BULK, { as: admin, body: csv, headers: CSV }),
      await doors.ask(BULK, { as: admin, json: { numbers: [tooMany] } }),
    ];

    for (const { status, body } of [json, lines]) expect([status, body.refused]).to.deep.equal([200, 10_000]);
    expect(large.body.results).to.deep.equal([
      { row: 1, status: 'invalid', errors: { non_field_errors: ['A row may have 64 values at most.'] } },
    ]);
  });

  it('tells its progress line by line when it is asked to', async () => {
    const { admin } = await someone();
    const numbers = Array.from({ length: 501 }, freshNumber);

    const { status, headers, body } = await doors.ask(BULK, {
      ...{ as: admin, json: { numbers }, headers: { accept: 'application/x-ndjson' } },
    });

    const lines = body
      .trim()
      .split('\n')
      .map((line: string) => JSON.parse(line));
    expect([status, headers.get('content-type')]).to.deep.equal([200, 'application/x-ndjson']);
    expect(lines).to.have.lengthOf(501 + 2 + 1);
    expect(lines[500]).to.deep.equal({ done: 500, total: 501 });
    expect(lines.at(-1)).to.deep.equal({ created: 501, refused: 0 });
  });

  it('makes each number once when the same lists come at the same moment', async () => {
    const { admin } = await someone();
    const numbers = Array.from({ length: 60 }, freshNumber);

    const answers = await Promise.all(
      [numbers, [...numbers].reverse(), numbers].map((list) => doors.ask(BULK, { as: admin, json: { numbers: list } })),
    );

    expect(answers.map(({ status }) => status)).to.deep.equal([200, 200, 200]);
    expect(answers.reduce((sum, { body }) => sum + body.created, 0)).to.equal(60);
  });

  it('changes many by id or number', async () => {
    const { admin, member } = await someone();
    const [a, b] = [freshNumber(), freshNumber()];
    const first = (await doors.add(admin, { phone_number: a, label: 'A' })).body;
    const second = (await doors.add(admin, { phone_number: b })).body;
    const foreign = await doors.add(await doors.user(await doors.account()), { phone_number: freshNumber() });
    const rows = [
      { id: first.id, user_id: member.userId, tags: ['x'] },
      { phone_number: b.replace('+', ''), is_active: true },
      { id: foreign.body.id, label: 'mine' },
      { label: 'whose?' },
      { phone_number: a, label: 'again' },
      { phone_number: b, user_id: foreign.body.id },
      { phone_number: '0612345679', country: 'fr', label: 'x'.repeat(201) },
      { phone_number: '0612345679', country: 'fr', label: 'x' },
    ];
    const path = `${BULK}change/`;

    const dry = await doors.ask(`${path}?dry_run=1`, { as: admin, json: { numbers: rows } });
    const unchanged = (await doors.ask(LIST, { as: admin })).body[0];
    const { body } = await doors.ask(path, { as: admin, json: { numbers: rows } });

    expect(dry.body).to.deep.equal(body);
    expect(unchanged).to.deep.equal(first);
    expect(body).to.deep.include({ changed: 1, unchanged: 1, refused: 6 });
    const told = body.results.map((r: Record<string, unknown>) => [r.status, r.id, r.phone_number]);
    expect(told).to.deep.equal([
      ['changed', first.id, a],
      ['unchanged', second.id, b],
      ['not_found', undefined, undefined],
      ['invalid', undefined, undefined],
      ['invalid', first.id, a],
      ['invalid', undefined, b],
      ['invalid', undefined, '+33612345679'],
      ['not_found', undefined, '+33612345679'],
    ]);
    expect((await doors.ask(LIST, { as: admin })).body[0]).to.deep.include({
      ...{ user_id: member.userId, tags: ['x'], label: 'A' },
    });
    expect((await run(doors.db, findHoldings([a]))).get(a)).to.have.lengthOf(2);
  });

  it('changes many from a CSV, where an empty cell says nothing and none clears', async () => {
    const { admin, member } = await someone();
    const number = freshNumber();
    await doors.add(admin, { phone_number: number, label: 'A', tags: ['x'], user_id: member.userId });

    const csv = `phone_number,label,tags,user_id,is_active\n${number},,none,none,off\n`;
    const { body } = await doors.ask(`${BULK}change/`, { as: admin, body: csv, headers: CSV });

    expect(body).to.deep.include({ changed: 1, refused: 0 });
    expect((await doors.ask(LIST, { as: admin })).body[0]).to.deep.include({
      ...{ label: 'A', tags: [], user_id: null, is_active: false },
    });
  });

  it('releases many by id or number', async () => {
    const { account, admin } = await someone();
    const [a, b, c] = [freshNumber(), freshNumber(), freshNumber()];
    const { body: first } = await doors.add(admin, { phone_number: a });
    for (const phone_number of [b, c]) await doors.add(admin, { phone_number });
    const rows = [{ id: first.id }, b, freshNumber(), { phone_number: a }, { id: 'x' }];

    const dry = await doors.ask(`${BULK}release/?dry_run=true`, { as: admin, json: { numbers: rows } });
    const { body } = await doors.ask(`${BULK}release/`, { as: admin, json: { numbers: rows } });

    expect(dry.body).to.deep.equal(body);
    expect(body).to.deep.include({ released: 2, refused: 3 });
    expect(body.results.map((r: { status: string }) => r.status)).to.deep.equal([
      ...['released', 'released', 'not_found', 'invalid', 'invalid'],
    ]);
    const left = (await doors.ask(LIST, { as: admin })).body;
    expect(left.map((n: { phone_number: string }) => n.phone_number)).to.deep.equal([c]);
    const { rows: events } = await doors.db.raw(
      "select count(*) from events where account_id = ? and type = 'number.released'",
      [account],
    );
    expect(events[0].count).to.equal(2);
  });

  it('makes 10,000 with no more statements for each 500 than a small list takes', async function () {
    this.timeout(120_000);
    const { account, admin } = await someone();
    let statements = 0;
    const count = (): void => {
      statements += 1;
    };
    const make = async (many: number) => {
      const numbers = Array.from({ length: many }, () => ({ phone_number: freshNumber(), label: 'bulk', tags: ['a'] }));
      statements = 0;
      const { body } = await doors.ask(BULK, { as: admin, json: { numbers } });
      return { numbers, body, statements };
    };

    doors.db.on('query', count);
    const small = await make(500);
    const large = await make(10_000);
    doors.db.off('query', count);

    expect(small.statements).to.be.above(0);
    expect(large.statements).to.equal(20 * small.statements);
    expect([large.body.created, large.body.results.length]).to.deep.equal([10_000, 10_000]);
    expect(await countHeld(account)).to.equal(10_500);
    const list = await doors.ask(LIST, { as: admin });
    expect(list.body).to.have.lengthOf(1000);
    expect(list.body[999].phone_number).to.equal(large.numbers[499]?.phone_number);
  });
});
