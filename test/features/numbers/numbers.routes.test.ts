import { expect } from 'chai';
import { type Asking, freshNumber, type NumberDoors, openNumberDoors } from './number-doors.js';

const LIST = '/api/virtual_numbers/';
const CREATE = '/api/virtual_numbers/create/';
const TAKEN = ['Phone number already exists.'];
const SHAPE = ['Phone number must be 8-15 digits'];
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };

const form = (body: string): Omit<Asking, 'as'> => ({ body, headers: FORM });
const multipart = (members: Readonly<Record<string, string | readonly string[]>>): Omit<Asking, 'as'> => {
  const body = new FormData();
  for (const [name, values] of Object.entries(members)) {
    for (const value of [values].flat()) body.append(name, value);
  }
  return { body };
};
const json = (body: unknown): Omit<Asking, 'as'> => ({ json: body });

describe('the doors of the virtual numbers', () => {
  let doors: NumberDoors;
  before(async () => {
    doors = await openNumberDoors();
  });
  after(() => doors.close());

  describe('the seed’s create', () => {
    const made: [string, Omit<Asking, 'as'>, object][] = [
      ['digits alone', json({ phone_number: '9812312312' }), { phone_number: '+9812312312', is_active: true }],
      ['a plus', json({ phone_number: '+9779842224441' }), { phone_number: '+9779842224441' }],
      ['an inactive one', json({ phone_number: '9842102721', is_active: false }), { is_active: false }],
      ['fifteen digits', json({ phone_number: '123456789012345' }), { phone_number: '+123456789012345' }],
      ['a plus and fourteen', json({ phone_number: '+12345678901234' }), { phone_number: '+12345678901234' }],
      ['a plus and fifteen', json({ phone_number: '+123456789012346' }), { phone_number: '+123456789012346' }],
      ['eight digits', json({ phone_number: '12345678' }), { phone_number: '+12345678' }],
      ['spaces around', json({ phone_number: ' 912345670 ' }), { phone_number: '+912345670' }],
      ['a line end', json({ phone_number: '912345671\n' }), { phone_number: '+912345671' }],
      ['spaces', json({ phone_number: '981 231 2391' }), { phone_number: '+9812312391' }],
      ['dashes', json({ phone_number: '981-231-2392' }), { phone_number: '+9812312392' }],
      ['brackets', json({ phone_number: '(981)2312393' }), { phone_number: '+9812312393' }],
      ['a JSON number', json({ phone_number: 9812312399 }), { phone_number: '+9812312399' }],
      ['unknown members', json({ phone_number: '7000000100', id: 77, user: 2, label: 'x' }), { label: 'x' }],
      ['a form', form('phone_number=7000000104'), { phone_number: '+7000000104', is_active: true }],
      ['a form that says active', form('phone_number=7000000105&is_active=true'), { is_active: true }],
      ['a form that says inactive', form('phone_number=7000000115&is_active=off'), { is_active: false }],
      ['a form with a bare plus', form('phone_number=+97798422244'), { phone_number: '+97798422244' }],
      ['a form with an encoded plus', form('phone_number=%2B97798422245'), { phone_number: '+97798422245' }],
      ['a multipart form', multipart({ phone_number: '7000000106' }), { is_active: true }],
      ['a national number', json({ phone_number: '06 12 34 56 78', country: 'fr' }), { phone_number: '+33612345678' }],
    ];
    for (const [name, asking, expected] of made) {
      it(`makes a number of ${name}`, async () => {
        const admin = await doors.user(await doors.account());

        const answer = await doors.ask(CREATE, { as: admin, ...asking });

        expect(answer.status).to.equal(201);
        expect(answer.body).to.include(expected);
        expect(answer.body.id).to.be.a('string');
      });
    }

    const spellings = (words: string[]) =>
      words.flatMap((w) => [w, w.toUpperCase(), w.slice(0, 1).toUpperCase() + w.slice(1)]);
    const truths: [unknown, boolean][] = [
      ...[...spellings(['t', 'y', 'yes', 'true', 'on', '1']), 1, true].map((v) => [v, true] as [unknown, boolean]),
      ...[...spellings(['f', 'n', 'no', 'false', 'off', '0']), 0, false].map((v) => [v, false] as [unknown, boolean]),
    ];
    const TAGGED: [string, Omit<Asking, 'as'>, string[]][] = [
      ['a form that repeats them', form('phone_number=7000000107&tags=vip&tags=a+b'), ['vip', 'a b']],
      ['a form with one', form('phone_number=7000000108&tags=vip'), ['vip']],
      ['a form with an empty one', form('phone_number=7000000109&tags='), []],
      ['a multipart form', multipart({ phone_number: '7000000110', tags: ['vip', 'x'] }), ['vip', 'x']],
      ['words like none', json({ phone_number: '7000000113', tags: ['nonesuch', 'None'] }), ['nonesuch', 'None']],
    ];
    for (const [name, asking, tags] of TAGGED) {
      it(`takes the tags of ${name}`, async () => {
        const admin = await doors.user(await doors.account());

        const answer = await doors.ask(CREATE, { as: admin, ...asking });

        expect(answer.body.tags).to.deep.equal(tags);
      });
    }

    it('takes the last value of what is no list, and one tag in JSON for no list', async () => {
      const admin = await doors.user(await doors.account());

      const twice = await doors.ask(CREATE, { as: admin, ...form('phone_number=1&phone_number=7000000111') });
      const text = await doors.ask(CREATE, { as: admin, ...json({ phone_number: '7000000112', tags: 'vip' }) });

      expect(twice.body).to.include({ phone_number: '+7000000111' });
      expect(text.body.tags).to.deep.equal(['Must be a list.']);
    });

    it('reads is_active in every spelling of the seed', async () => {
      const admin = await doors.user(await doors.account());

      for (const [spelling, expected] of truths) {
        const body = { phone_number: freshNumber(), is_active: spelling };
        const answer = await doors.ask(CREATE, { as: admin, json: body });

        expect(answer.body.is_active, String(spelling)).to.equal(expected);
      }
    });

    const BOOLEAN = ['Must be a valid boolean.'];
    const refused: [string, Omit<Asking, 'as'>, object][] = [
      ...['asdsd1234242', '1234567', '+', '00977984222444', '+0977984222', '١٢٣٤٥٦٧٨٩', '9123456\u0000789'].map(
        (number): [string, Omit<Asking, 'as'>, object] => [
          JSON.stringify(number),
          json({ phone_number: number }),
          { phone_number: SHAPE },
        ],
      ),
      ...[98123123.5, -981231239, 1234567890123456, '1123456789012345', '+1123456789012345'].map(
        (number): [string, Omit<Asking, 'as'>, object] => [
          JSON.stringify(number),
          json({ phone_number: number }),
          { phone_number: SHAPE },
        ],
      ),
      ['an empty text', json({ phone_number: '' }), { phone_number: ['This field may not be blank.'] }],
      ['spaces alone', json({ phone_number: '   ' }), { phone_number: ['This field may not be blank.'] }],
      ['null', json({ phone_number: null }), { phone_number: ['This field may not be null.'] }],
      ...[true, [], {}, ['9812312398']].map((value): [string, Omit<Asking, 'as'>, object] => [
        JSON.stringify(value),
        json({ phone_number: value }),
        { phone_number: ['Not a valid string.'] },
      ]),
      ['nothing', json({}), { phone_number: ['This field is required.'] }],
      ['another member alone', json({ is_active: true }), { phone_number: ['This field is required.'] }],
      ['an empty body', { method: 'POST' }, { phone_number: ['This field is required.'] }],
      ['a form without it', form('x=1'), { phone_number: ['This field is required.'] }],
      ...['tRuE', 2, 'abc', '', []].map((value): [string, Omit<Asking, 'as'>, object] => [
        `is_active ${JSON.stringify(value)}`,
        json({ phone_number: freshNumber(), is_active: value }),
        { is_active: BOOLEAN },
      ]),
      [
        'is_active null',
        json({ phone_number: freshNumber(), is_active: null }),
        { is_active: ['This field may not be null.'] },
      ],
      ['two wrong members', json({ phone_number: 'x', is_active: 'x' }), { phone_number: SHAPE, is_active: BOOLEAN }],
      ['a list', json([]), { non_field_errors: ['Invalid data. Expected a dictionary, but got list.'] }],
      ['JSON null', json(null), { non_field_errors: ['No data provided'] }],
      [
        'an unknown country',
        json({ phone_number: '+9779841000000', country: 'XX' }),
        { country: ['Not a known country (ISO 3166 alpha-2).'] },
      ],
      ['an impossible national number', json({ phone_number: '123', country: 'FR' }), { phone_number: SHAPE }],
      [
        'a NUL in the label',
        json({ phone_number: freshNumber(), label: 'a\0b' }),
        {
          label: ['Null characters are not allowed.'],
        },
      ],
      [
        'half a surrogate pair',
        json({ phone_number: freshNumber(), tags: ['\ud800'] }),
        {
          tags: ['Not a valid string.'],
        },
      ],
      ...['a,b', 'none', ' none '].map((tag): [string, Omit<Asking, 'as'>, object] => [
        `the tag ${JSON.stringify(tag)}`,
        json({ phone_number: freshNumber(), tags: ['vip', tag] }),
        { tags: ['A tag has no comma and is not called none: filters could not ask for it.'] },
      ]),
      ['an id that is none', json({ phone_number: freshNumber(), user_id: 'me' }), { user_id: ['Not a valid id.'] }],
    ];
    for (const [name, asking, fields] of refused) {
      it(`refuses ${name}`, async () => {
        const admin = await doors.user(await doors.account());

        const answer = await doors.ask(CREATE, { as: admin, ...asking });

        expect(answer.status).to.equal(400);
        expect(answer.headers.get('content-type')).to.contain('application/problem+json');
        expect(answer.body).to.deep.include(fields);
      });
    }

    it('refuses a number in another spelling and of another account', async () => {
      const [one, other] = [await doors.user(await doors.account()), await doors.user(await doors.account())];
      await doors.add(one, { phone_number: '+4930901820' });

      const again = await doors.ask(CREATE, { as: one, json: { phone_number: '49 (30) 901-820' } });
      const elsewhere = await doors.ask(CREATE, { as: other, ...form('phone_number=4930901820') });

      for (const answer of [again, elsewhere]) {
        expect(answer.status).to.equal(400);
        expect(answer.body.phone_number).to.deep.equal(TAKEN);
      }
    });

    it('answers 405, 415 and 401 in the contract’s order', async () => {
      const admin = await doors.user(await doors.account());
      const nobody = { ...admin, userId: 'nobody' };

      const statuses = [
        await doors.ask(CREATE, { as: admin }),
        await doors.ask(CREATE, { as: admin, body: '{}', headers: { 'content-type': 'text/plain' } }),
        await doors.ask(CREATE, { as: nobody, body: '{}', headers: { 'content-type': 'text/plain' } }),
        await doors.ask(LIST, { as: admin, ...form('phone_number=9812312777') }),
      ].map(({ status }) => status);

      expect(statuses).to.deep.equal([405, 415, 401, 415]);
    });
  });

  it('refuses unknown members where the seed had no door', async () => {
    const admin = await doors.user(await doors.account());

    const created = await doors.add(admin, { phone_number: freshNumber(), colour: 'red' });
    const { body: number } = await doors.add(admin, { phone_number: freshNumber() });
    const patched = await doors.ask(`${LIST}${number.id}/`, {
      ...{ as: admin, method: 'PATCH' },
      json: { phone_number: freshNumber() },
    });

    expect([created.status, created.body.colour]).to.deep.equal([400, ['Unknown field.']]);
    expect([patched.status, patched.body.phone_number]).to.deep.equal([400, ['Unknown field.']]);
  });

  it('shows a number with every member of the contract', async () => {
    const account = await doors.account();
    const admin = await doors.user(account);
    const colleague = await doors.user(account, 'member');
    const carrier = await doors.carrier(account);
    const phoneNumber = freshNumber();

    const { status, body, headers } = await doors.add(admin, {
      ...{ phone_number: phoneNumber, label: ' Desk ', tags: ['a', 'b', 'a'] },
      ...{ user_id: colleague.userId, carrier_id: carrier.toUpperCase() },
    });

    expect(status).to.equal(201);
    expect(headers.get('location')).to.equal(`${LIST}${body.id}/`);
    expect(body).to.deep.equal({
      ...{ id: body.id, phone_number: phoneNumber, is_active: true, label: 'Desk', country: 'NP', type: 'mobile' },
      ...{ tags: ['a', 'b'], user_id: colleague.userId, carrier_id: carrier },
      ...{ created_at: '2026-11-22T12:00:00.000Z', updated_at: '2026-11-22T12:00:00.000Z' },
    });
    expect((await doors.ask(`${LIST}${body.id}/`, { as: admin })).body).to.deep.equal(body);
  });

  it('assigns to users and carriers of the account, and to shared carriers, alone', async () => {
    const admin = await doors.user(await doors.account());
    const elsewhere = await doors.account();
    const foreign = { user: await doors.user(elsewhere), carrier: await doors.carrier(elsewhere) };
    const shared = await doors.carrier(null);

    const refused = await doors.add(admin, {
      ...{ phone_number: freshNumber(), user_id: foreign.user.userId, carrier_id: foreign.carrier },
    });
    const made = await doors.add(admin, { phone_number: freshNumber(), carrier_id: shared });

    expect(refused.status).to.equal(400);
    expect(refused.body.user_id).to.deep.equal(['No such user in this account.']);
    expect(refused.body.carrier_id).to.deep.equal(['No such carrier in this account.']);
    expect(made.body.carrier_id).to.equal(shared);
  });

  describe('the list', () => {
    it('is a bare array, oldest first, and passes over what it does not understand', async () => {
      const admin = await doors.user(await doors.account());
      const numbers = [freshNumber(), freshNumber(), freshNumber()];
      for (const phone_number of numbers) await doors.add(admin, { phone_number });

      for (const query of [
        '',
        '?page=2&page_size=1&format=json',
        '?user_id=me&is_active=maybe&country=Nepal&tag=%00',
      ]) {
        const { body } = await doors.ask(`${LIST}${query}`, { as: admin });

        expect(
          body.map((n: { phone_number: string }) => n.phone_number),
          query,
        ).to.deep.equal(numbers);
      }
    });

    it('pages by Link, and refuses a limit or cursor that is none', async () => {
      const admin = await doors.user(await doors.account());
      const numbers = Array.from({ length: 5 }, freshNumber);
      for (const phone_number of numbers) await doors.add(admin, { phone_number });

      for (const filter of ['', '&is_active=true']) {
        const seen: string[] = [];
        let path: string | undefined = `${LIST}?limit=2${filter}`;
        while (path) {
          const { body, headers } = await doors.ask(path, { as: admin });
          seen.push(...body.map((n: { phone_number: string }) => n.phone_number));
          path = /<(.*)>; rel="next"/.exec(headers.get('link') ?? '')?.[1];
        }
        expect(seen, filter).to.deep.equal(numbers);
      }

      for (const wrong of ['limit=0', 'limit=501', 'limit=x', 'cursor=x'])
        expect((await doors.ask(`${LIST}?${wrong}`, { as: admin })).status, wrong).to.equal(400);
    });

    it('finds a number with a (0) that is dialled', async () => {
      const admin = await doors.user(await doors.account());
      const { body: rome } = await doors.add(admin, { phone_number: '+39 (0)6 698 12377' });

      for (const search of ['+39 (0)6 698', '+39 (0)6 698 12377', '(0)6 698'])
        expect(
          (await doors.ask(`${LIST}?search=${encodeURIComponent(search)}`, { as: admin })).body,
          search,
        ).to.deep.equal([rome]);
    });

    it('filters by each member, OR within a filter, AND between them', async () => {
      const account = await doors.account();
      const admin = await doors.user(account);
      const colleague = await doors.user(account, 'member');
      const carrier = await doors.carrier(account);
      const id = async (body: object): Promise<string> => (await doors.add(admin, { ...body })).body.id;
      const a = await id({ phone_number: freshNumber(), tags: ['x', 'y'], user_id: colleague.userId });
      const b = await id({ phone_number: '+14155550123', tags: ['z'], is_active: false, carrier_id: carrier });
      const c = await id({ phone_number: '+99912345678' });
      const cases: [string, string[]][] = [
        ['is_active=true', [a, c]],
        ['is_active=False,1', [a, b, c]],
        [`user_id=${colleague.userId}`, [a]],
        ['user_id=none', [b, c]],
        [`user_id=none,${colleague.userId?.toUpperCase()}`, [a, b, c]],
        [`carrier_id=${carrier}`, [b]],
        ['carrier_id=none', [a, c]],
        ['country=us,NP', [a, b]],
        ['country=none', [c]],
        ['tag=x,z', [a, b]],
        ['tag=none', [c]],
        ['tag=x&is_active=false', []],
        ['is_active=none', []],
        ['tag=x&tag=z', [a, b]],
      ];

      for (const [query, expected] of cases) {
        const { body } = await doors.ask(`${LIST}?${query}`, { as: admin });

        expect(
          body.map((n: { id: string }) => n.id),
          query,
        ).to.deep.equal(expected);
      }
    });

    it('finds a number by any part of it in any spelling', async () => {
      const admin = await doors.user(await doors.account());
      const paris = '+33698012377';
      const other = '+12346980123779';
      for (const phone_number of [paris, other]) await doors.add(admin, { phone_number });
      const cases: [string, string[]][] = [
        ['98012377', [paris, other]],
        ['98 01-23.77', [paris, other]],
        ['(698) 0123', [paris, other]],
        ['+33', [paris]],
        [' 3369', [paris]],
        ['06 98 01', [paris]],
        ['0033 6', [paris]],
        ['+33 (0)6 98', [paris]],
        ['(0)698', [paris, other]],
        ['98\u00a001\u201323\u202f77', [paris, other]],
        ['\u202a+33\u00a06\u202c', [paris]],
        ['01237', [paris, other]],
        ['0698,779', [paris, other]],
        ['+1,06 98', [paris, other]],
        [`${'5555,'.repeat(99)}0698`, [paris]],
        [`${'5555,'.repeat(100)}0698`, [paris, other]],
        [`6980123${'7'.repeat(15_000)}`, []],
        ['abc', []],
        ['.*', []],
        ['٣٣', []],
        ['', [paris, other]],
      ];

      for (const [search, expected] of cases) {
        const { body } = await doors.ask(`${LIST}?search=${encodeURIComponent(search)}`, { as: admin });

        expect(
          body.map((n: { phone_number: string }) => n.phone_number),
          search,
        ).to.deep.equal(expected);
      }
    });
  });

  describe('changing', () => {
    it('takes If-Match: the present version changes it, an older one is 412', async () => {
      const admin = await doors.user(await doors.account());
      const created = await doors.add(admin, { phone_number: freshNumber() });
      const path = `${LIST}${created.body.id}/`;
      const etag = created.headers.get('etag') ?? '';
      const patch = (label: string, ifMatch: string) =>
        doors.ask(path, { as: admin, method: 'PATCH', json: { label }, headers: { 'if-match': ifMatch } });

      const first = await patch('one', etag);
      const second = await patch('two', etag);
      const weak = await patch('three', `"x", W/${first.headers.get('etag')}`);
      const any = await patch('four', '*');

      expect([first.status, second.status, weak.status, any.status]).to.deep.equal([200, 412, 200, 200]);
      expect(second.body.code).to.equal('precondition_failed');
      expect((await doors.ask(path, { as: admin })).headers.get('etag')).to.equal(any.headers.get('etag'));
      const late = await doors.ask(path, { as: admin, method: 'DELETE', headers: { 'if-match': etag } });
      expect(late.status).to.equal(412);
    });

    it('leaves a number alone that already is as asked', async () => {
      const admin = await doors.user(await doors.account());
      const { body, headers } = await doors.add(admin, { phone_number: freshNumber(), label: 'x' });
      const path = `${LIST}${body.id}/`;
      doors.time.now += 1000;

      const answer = await doors.ask(path, { as: admin, method: 'PATCH', json: { label: 'x', is_active: true } });

      expect(answer.body).to.deep.equal(body);
      expect(answer.headers.get('etag')).to.equal(headers.get('etag'));
      expect((await doors.ask(`${path}history/`, { as: admin })).body).to.have.lengthOf(1);
    });

    it('lets a number keep the carrier it has, also one that is gone', async () => {
      const account = await doors.account();
      const admin = await doors.user(account);
      const [gone, other] = [await doors.carrier(account), await doors.carrier(account)];
      const { body } = await doors.add(admin, { phone_number: freshNumber(), carrier_id: gone, user_id: admin.userId });
      await doors.db('carriers').update({ deleted_at: new Date() }).whereIn('id', [gone, other]);
      const patch = (json: object) => doors.ask(`${LIST}${body.id}/`, { as: admin, method: 'PATCH', json });

      const kept = await patch({ label: 'Desk', user_id: admin.userId, carrier_id: gone });
      const moved = await patch({ carrier_id: other });
      const back = [await patch({ carrier_id: null }), await patch({ carrier_id: gone })];

      expect([kept.status, kept.body.label, kept.body.carrier_id]).to.deep.equal([200, 'Desk', gone]);
      expect([moved.status, ...back.map(({ status }) => status)]).to.deep.equal([400, 200, 400]);
    });

    it('clears what is given as null', async () => {
      const account = await doors.account();
      const admin = await doors.user(account);
      const { body } = await doors.add(admin, { phone_number: freshNumber(), label: 'x', user_id: admin.userId });

      const answer = await doors.ask(`${LIST}${body.id}/`, {
        ...{ as: admin, method: 'PATCH' },
        json: { label: null, user_id: null, tags: [] },
      });

      expect(answer.body).to.include({ label: null, user_id: null });
    });
  });

  it('takes an empty label for none', async () => {
    const admin = await doors.user(await doors.account());

    const made = await doors.add(admin, { phone_number: freshNumber(), label: ' ' });
    const named = await doors.ask(`${LIST}${made.body.id}/`, { as: admin, method: 'PATCH', json: { label: 'Desk' } });
    const cleared = await doors.ask(`${LIST}${made.body.id}/`, { as: admin, method: 'PATCH', json: { label: '' } });

    expect([made, named, cleared].map(({ body }) => body.label)).to.deep.equal([null, 'Desk', null]);
  });

  it('releases: gone from the list and by id, and a new id when claimed again', async () => {
    const admin = await doors.user(await doors.account());
    const phoneNumber = freshNumber();
    const { body } = await doors.add(admin, { phone_number: phoneNumber });
    const path = `${LIST}${body.id}/`;

    const released = await doors.ask(path, { as: admin, method: 'DELETE' });

    expect([released.status, released.body]).to.deep.equal([204, '']);
    expect((await doors.ask(LIST, { as: admin })).body).to.deep.equal([]);
    for (const method of ['GET', 'DELETE']) expect((await doors.ask(path, { as: admin, method })).status).to.equal(404);
    const again = await doors.add(await doors.user(await doors.account()), { phone_number: phoneNumber });
    expect(again.status).to.equal(201);
    expect(again.body.id).not.to.equal(body.id);
  });

  describe('a member', () => {
    const people = async () => {
      const account = await doors.account();
      const [admin, member] = [await doors.user(account), await doors.user(account, 'member')];
      const mine = (await doors.add(member, { phone_number: freshNumber() })).body;
      const theirs = (await doors.add(admin, { phone_number: freshNumber() })).body;
      return { account, admin, member, mine, theirs };
    };

    it('adds numbers for themselves and sees those alone', async () => {
      const { member, mine } = await people();

      const { body } = await doors.ask(LIST, { as: member });

      expect(mine.user_id).to.equal(member.userId);
      expect(body).to.deep.equal([mine]);
    });

    it('changes label, tags and is_active of theirs, and nothing else', async () => {
      const { account, member, mine, theirs, admin } = await people();
      const carrier = await doors.carrier(account);
      const patch = (id: string, json: object) => doors.ask(`${LIST}${id}/`, { as: member, method: 'PATCH', json });

      const allowed = await patch(mine.id, { label: 'l', tags: ['t'], is_active: false });
      const denied = [
        await patch(mine.id, { user_id: admin.userId }),
        await patch(mine.id, { carrier_id: carrier }),
        await patch(theirs.id, { label: 'l' }),
        await doors.ask(`${LIST}${theirs.id}/`, { as: member }),
        await doors.ask(`${LIST}${theirs.id}/history/`, { as: member }),
        await doors.ask(`${LIST}${mine.id}/`, { as: member, method: 'DELETE' }),
        await doors.add(member, { phone_number: freshNumber(), user_id: admin.userId }),
        await doors.add(member, { phone_number: freshNumber(), user_id: null }),
        await doors.add(member, { phone_number: freshNumber(), carrier_id: carrier }),
        await doors.ask(`${LIST}bulk/`, { as: member, json: { numbers: [] } }),
        await doors.ask(`${LIST}bulk/change/`, { as: member, json: { numbers: [] } }),
        await doors.ask(`${LIST}bulk/release/`, { as: member, json: { numbers: [] } }),
      ];

      expect(allowed.body).to.deep.include({ label: 'l', tags: ['t'], is_active: false });
      for (const answer of denied) expect([answer.status, answer.body.code]).to.deep.equal([403, 'permission_denied']);
    });
  });

  it('answers 404 for another account’s number, whatever is asked and by whom', async () => {
    const owner = await doors.user(await doors.account());
    const { body } = await doors.add(owner, { phone_number: freshNumber() });
    const account = await doors.account();

    for (const role of ['member', 'admin', 'operator'] as const) {
      const stranger = await doors.user(account, role);
      const path = `${LIST}${body.id}/`;
      const answers = [
        await doors.ask(path, { as: stranger }),
        await doors.ask(path, { as: stranger, method: 'PATCH', json: { label: 5 } }),
        await doors.ask(path, { as: stranger, method: 'DELETE' }),
        await doors.ask(`${path}history/`, { as: stranger }),
        await doors.ask(`${LIST}not-a-uuid/`, { as: stranger }),
      ];

      expect(
        answers.map(({ status }) => status),
        role,
      ).to.deep.equal([404, 404, 404, 404, 404]);
    }
  });
});
