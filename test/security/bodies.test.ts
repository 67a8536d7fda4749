import { expect } from 'chai';
import { type Answer, type Person, startSystem, type TestSystem } from '../support/system.js';

const json = { 'content-type': 'application/json' };

describe('bodies that are meant to hurt', () => {
  let system: TestSystem;
  let admin: Person;
  before(async () => {
    system = await startSystem();
    admin = await system.createAdmin();
  });
  after(() => system.stop());

  const send = (body: string, path = '/api/token/'): Promise<Answer> =>
    system.ask('POST', path, { body, headers: json, token: admin.token });

  /** What it cost the process in processor time, ms: other processes do not disturb it. */
  async function costOf(work: () => Promise<unknown>): Promise<number> {
    const begun = process.cpuUsage();
    await work();
    const used = process.cpuUsage(begun);
    return (used.user + used.system) / 1000;
  }

  it('of 10 MB are refused', async () => {
    const { status, body } = await send('a'.repeat(10 * 1024 * 1024));

    expect([status, body.code]).to.deep.equal([413, 'body_too_large']);
  });

  it('nested 10,000 deep are refused, closed or not', async () => {
    const [open, close] = ['['.repeat(10_000), ']'.repeat(10_000)];

    for (const body of [open + close, open, '{"a":'.repeat(10_000), `{"username":${open}${close}}`]) {
      const answer = await send(body);
      expect([answer.status, answer.body.code]).to.deep.equal([400, 'parse_error']);
    }
  });

  it('of more values or members than anything needs are refused before they are judged one by one', async () => {
    const members = (many: number) =>
      JSON.stringify(Object.fromEntries(Array.from({ length: many }, (_, i) => [i, 1])));
    const lists = (name: string, many: number) => `{"name":"x","${name}":[${'[],'.repeat(many)}0]}`;

    for (const [path, body, detail] of [
      ['/api/token/verify/', members(1001), 'The body may have 1000 members at most.'],
      ['/api/token/', members(80_000), 'The body may have 2000 values at most.'],
      ['/api/api_keys/', lists('scopes', 200_000), 'The body may have 2000 values at most.'],
      ['/api/virtual_numbers/', lists('tags', 200_000), 'The body may have 2000 values at most.'],
      ['/api/virtual_numbers/bulk/', members(160_001), 'The body may have 160000 members at most.'],
      ['/api/virtual_numbers/bulk/', lists('numbers', 640_000), 'The body may have 640000 values at most.'],
    ] as const) {
      const { status, body: problem } = await send(body, path);
      expect([status, problem.code, problem.detail], path).to.deep.equal([400, 'parse_error', detail]);
    }
  });

  it('are told all that is wrong up to a thousand values, and of more the first fault alone', async () => {
    const wrong = (many: number) => send(JSON.stringify({ scopes: Array(many).fill(0) }), '/api/api_keys/');

    const [some, many] = [await wrong(998), await wrong(1001)];

    const told = ({ body }: Answer) => ['name', 'scopes', 'expires_at'].filter((member) => member in body);
    expect([some.status, told(some)]).to.deep.equal([400, ['name', 'scopes']]);
    expect([many.status, told(many)]).to.deep.equal([400, ['name']]);
  });

  it('of a megabyte that is no JSON cost little', async () => {
    const bodies = ['['.repeat(1_000_000), `"${'a'.repeat(1_000_000)}`, `[${'1,'.repeat(400_000)}x]`];

    const cost = await costOf(async () => {
      for (const body of bodies) expect((await send(body)).status).to.equal(400);
    });

    expect(cost).to.be.below(1000);
  });

  it('cannot reach the prototype of objects', async () => {
    const polluted = '{"__proto__":{"is_admin":true},"constructor":{"prototype":{"is_admin":true}},"phone_number":"x"}';
    const form = new FormData();
    form.set('__proto__', 'x');
    form.set('phone_number', '+4930777001');

    const answers = [
      await send(polluted, '/api/virtual_numbers/create/'),
      await send(polluted, '/api/users/'),
      await system.ask('POST', '/api/virtual_numbers/create/', { token: admin.token, body: form }),
      await system.ask('POST', '/api/virtual_numbers/create/', {
        token: admin.token,
        body: new URLSearchParams('__proto__=x&phone_number=%2B4930777002'),
      }),
    ];

    for (const { status } of answers) expect(status).to.be.oneOf([201, 400]);
    expect(({} as { is_admin?: boolean }).is_admin).to.equal(undefined);
  });

  it('have no member and no filter __proto__ but an unknown one', async () => {
    const user = '"username":"proto","password":"password1"';
    const told = (answer: Answer) => Object.getOwnPropertyDescriptor(answer.body, '__proto__')?.value;

    const body = await send(`{${user},"__proto__":{"role":"admin"}}`, '/api/users/');
    const alone = await send(`{"__proto__":{${user}}}`, '/api/users/');
    const within = await send('{"subscriber":{"name":"x","\\u005f_proto__":{"pin":"1"}}}', '/api/port_orders/');
    const row = await send('{"numbers":[{"phone_number":"x","__proto__":1}]}', '/api/virtual_numbers/bulk/');
    const filter = await system.ask('GET', '/api/users/?__proto__=1', { token: admin.token });
    const ignored = await send(
      '{"phone_number":"+4930777003","__proto__":{"label":"x"}}',
      '/api/virtual_numbers/create/',
    );

    expect([body.status, told(body)]).to.deep.equal([400, ['Unknown field.']]);
    expect([alone.status, alone.body.username, told(alone)]).to.deep.equal([
      ...[400, ['This field is required.'], ['Unknown field.']],
    ]);
    expect([within.status, within.body.subscriber]).to.deep.equal([400, ['Unknown field.']]);
    expect(JSON.stringify(row.body.results[0].errors)).to.include('"__proto__":["Unknown field."]');
    expect([filter.status, told(filter)]).to.deep.equal([400, ['Unknown filter.']]);
    expect([ignored.status, ignored.body.label]).to.deep.equal([201, null]);
  });

  it('and headers and filters that are made for slow patterns cost little', async () => {
    const long = '1 -./()'.repeat(20_000);
    const spaces = ' '.repeat(8000);

    const cost = await costOf(async () => {
      await send(JSON.stringify({ phone_number: long }), '/api/virtual_numbers/');
      await send(JSON.stringify({ phone_number: `+${'1'.repeat(200_000)}x` }), '/api/virtual_numbers/');
      await send(JSON.stringify({ username: `${spaces}a${spaces}`.repeat(20), password: 'x'.repeat(100_000) }));
      const headers = { authorization: `Bearer${spaces}x`, 'x-request-id': 'a'.repeat(4000) };
      await system.ask('GET', '/api/virtual_numbers/', { headers });
      for (const value of ['9'.repeat(3000), ','.repeat(3000), '%20'.repeat(1000), '*'.repeat(3000)])
        for (const name of ['number', 'tag', 'country', 'user_id', 'started_after'])
          await system.ask('GET', `/api/call_logs/?${name}=${value}`, { token: admin.token });
    });

    expect(cost).to.be.below(3000);
  });
});
