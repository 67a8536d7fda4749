import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import { createCarriers } from '../../../src/features/carriers/index.js';
import { newId } from '../../../src/lib/ids.js';
import { allScopesBut, type Door, makeActor, openDoor, PUBLIC_URL } from '../../support/door.js';

const secretText = (): string => randomBytes(16).toString('hex');
const twilioLine = (more: object = {}) => ({
  provider: 'twilio',
  name: 'Main line',
  credentials: { auth_token: secretText() },
  ...more,
});

describe('carriers', () => {
  let door: Door;

  before(async () => {
    door = await openDoor((platform) => createCarriers(platform).routes);
  });
  after(() => door.close());

  const admin = async () => door.as(makeActor({ accountId: await door.makeAccount() }));
  const operator = async () => door.as(makeActor({ accountId: await door.makeAccount(), role: 'operator' }));

  it('shows a new carrier with its webhook URL, the names of its credentials and its plain settings', async () => {
    const api = await admin();
    const accountSid = `AC${randomBytes(16).toString('hex')}`;

    const made = await api.post(
      '/api/carriers/',
      twilioLine({ credentials: { auth_token: secretText(), account_sid: accountSid }, country: 'de' }),
    );

    expect(made.status).to.equal(201);
    expect(made.body).to.deep.include({
      account_id: api.actor.accountId,
      shared: false,
      provider: 'twilio',
      credentials: ['auth_token', 'account_sid'],
      settings: { account_sid: accountSid },
      is_active: true,
      voice_url: null,
      country: 'DE',
      webhook_url: `${PUBLIC_URL}/webhooks/${made.body.id}/`,
      last_event_at: null,
      last_accepted: null,
      last_refused: null,
    });
    expect(made.headers.get('location')).to.equal(`/api/carriers/${made.body.id}/`);
    expect((await api.get(`/api/carriers/${made.body.id}`)).body).to.deep.equal(made.body);
  });

  it('tells no secret in any answer, in the log or in the table', async () => {
    const api = await admin();
    const [first, second] = [secretText(), secretText()];

    const made = await api.post('/api/carriers/', twilioLine({ credentials: { auth_token: first } }));
    const path = `/api/carriers/${made.body.id}/`;
    const answers = [
      made,
      await api.get(path),
      await api.get('/api/carriers/'),
      await api.patch(path, { credentials: { auth_token: [second, first] } }),
      await api.patch(path, { credentials: { auth_token: [second, first, 'third'] } }),
      await api.patch(path, { credentials: { auth_token: second, api_key: first } }),
      await api.post(`${path}test/`),
    ];

    const told = [...answers.map((answer) => answer.text), ...door.logged].join('\n');
    const { rows } = await door.platform.db.raw('select c::text as row from carriers c where id = ?', [made.body.id]);
    expect(answers.map((answer) => answer.status)).to.deep.equal([201, 200, 200, 200, 400, 400, 200]);
    for (const secret of [first, second]) expect(told + rows[0].row).not.to.include(secret);
  });

  const refused: readonly (readonly [string, object, string])[] = [
    ['a missing credential', { credentials: {} }, 'credentials'],
    ['no credentials', { credentials: undefined }, 'credentials'],
    ['null for credentials', { credentials: null }, 'credentials'],
    ['a text for credentials', { credentials: 'secret' }, 'credentials'],
    ['an unknown credential', { credentials: { auth_token: secretText(), pin: '1' } }, 'credentials'],
    ['an empty secret', { credentials: { auth_token: '' } }, 'credentials'],
    ['a number for a secret', { credentials: { auth_token: 5 } }, 'credentials'],
    ['an empty list', { credentials: { auth_token: [] } }, 'credentials'],
    ['three secrets', { credentials: { auth_token: [secretText(), secretText(), secretText()] } }, 'credentials'],
    ['a list for a plain setting', { credentials: { auth_token: secretText(), account_sid: ['AC'] } }, 'credentials'],
    ['a malformed public key', { provider: 'telnyx', credentials: { public_key: 'nonsense' } }, 'credentials'],
    ['none of two alternatives', { provider: 'generic', credentials: {} }, 'credentials'],
    ['an unknown provider', { provider: 'acme' }, 'provider'],
    ['no name', { name: undefined }, 'name'],
    ['a blank name', { name: '  ' }, 'name'],
    ['a name that cannot be stored', { name: 'a\u0000b' }, 'name'],
    ['an unknown member', { webhook_url: 'https://example.com' }, 'webhook_url'],
    ['a voice URL that is none', { voice_url: 'ftp://example.com/' }, 'voice_url'],
    ['a voice URL with a script', { voice_url: 'javascript:alert(1)' }, 'voice_url'],
    ['a country that is none', { country: 'XX' }, 'country'],
    ['a country of three letters', { country: 'DEU' }, 'country'],
    ['a flag that is none', { is_active: 'perhaps' }, 'is_active'],
  ];
  for (const [what, change, field] of refused) {
    it(`answers 400 under ${field} to ${what}`, async () => {
      const api = await admin();

      const answer = await api.post('/api/carriers/', twilioLine(change));

      expect(answer.status, answer.text).to.equal(400);
      expect(answer.body[field], answer.text).to.be.an('array').that.is.not.empty;
    });
  }

  it('names everything that is wrong with the credentials at once', async () => {
    const api = await admin();

    const answer = await api.post('/api/carriers/', twilioLine({ credentials: { token: 'x', account_sid: ' AC' } }));

    expect(answer.body.credentials).to.have.lengthOf(3);
    expect(answer.body.credentials.join(' ')).to.match(/token is not a credential of twilio/);
    expect(answer.body.credentials.join(' ')).to.match(/auth_token is required/);
  });

  it('changes what is named and keeps the rest', async () => {
    const api = await admin();
    const line = twilioLine({ credentials: { auth_token: secretText(), account_sid: `AC${'0'.repeat(32)}` } });
    const { body: made } = await api.post('/api/carriers/', line);

    const changed = await api.patch(`/api/carriers/${made.id}/`, {
      name: 'Second line',
      is_active: false,
      voice_url: 'https://voice.example.com/',
      credentials: { account_sid: null },
    });

    expect(changed.status).to.equal(200);
    expect(changed.body).to.deep.include({
      name: 'Second line',
      is_active: false,
      voice_url: 'https://voice.example.com/',
      credentials: ['auth_token'],
      settings: {},
      created_at: made.created_at,
    });
  });

  it('refuses to take a required credential away', async () => {
    const api = await admin();
    const { body: made } = await api.post('/api/carriers/', twilioLine());

    const answer = await api.patch(`/api/carriers/${made.id}/`, { credentials: { auth_token: null } });

    expect(answer.status).to.equal(400);
    expect(answer.body.credentials).to.deep.equal(['auth_token is required.']);
  });

  it('drops the shared secret when a public key takes its place', async () => {
    const api = await admin();
    const secret = `whsec_${randomBytes(24).toString('base64')}`;
    const line = twilioLine({ provider: 'generic', credentials: { secret } });
    const { body: made } = await api.post('/api/carriers/', line);
    const key = `whpk_${randomBytes(32).toString('base64')}`;

    const changed = await api.patch(`/api/carriers/${made.id}/`, { credentials: { public_key: key } });

    expect(changed.body.credentials).to.deep.equal(['public_key']);
  });

  it('never changes the provider, nor whom the line belongs to', async () => {
    const api = await admin();
    const { body: made } = await api.post('/api/carriers/', twilioLine());
    const path = `/api/carriers/${made.id}/`;

    expect((await api.patch(path, { provider: 'plivo' })).body.provider).to.be.an('array');
    expect((await api.patch(path, { shared: true })).body.shared).to.be.an('array');
    expect((await api.patch(path, { provider: 'twilio', shared: false })).status).to.equal(200);
  });

  it('is for admins: members and strangers are turned away everywhere', async () => {
    const api = await admin();
    const { body: made } = await api.post('/api/carriers/', twilioLine());
    const member = door.as(makeActor({ accountId: api.actor.accountId, role: 'member' }));
    const one = `/api/carriers/${made.id}/`;

    for (const [who, status] of [
      [member, 403],
      [door.stranger, 401],
    ] as const) {
      const answers = [
        await who.get('/api/carriers/'),
        await who.post('/api/carriers/', {}),
        await who.get(one),
        await who.patch(one, { name: 'Mine' }),
        await who.delete(one),
        await who.post(`${one}test/`),
      ];
      expect(answers.map((answer) => answer.status)).to.deep.equal(Array(6).fill(status));
    }
  });

  it('asks an API key for its scope', async () => {
    const accountId = await door.makeAccount();
    const reader = door.as(makeActor({ accountId, keyWith: ['carriers:read'] }));
    const other = door.as(makeActor({ accountId, keyWith: allScopesBut('carriers:read') }));

    expect((await reader.get('/api/carriers/')).status).to.equal(200);
    expect((await reader.post('/api/carriers/', twilioLine())).body.code).to.equal('insufficient_scope');
    expect((await other.post('/api/carriers/', twilioLine())).status).to.equal(201);
    expect((await other.get('/api/carriers/')).body.code).to.equal('insufficient_scope');
    expect((await other.post('/api/carriers/', twilioLine({ shared: true }))).status).to.equal(403);
  });

  it('hides an account’s carriers from every other account, operators included', async () => {
    const { body: made } = await (await admin()).post('/api/carriers/', twilioLine());
    const one = `/api/carriers/${made.id}/`;

    for (const other of [await admin(), await operator()]) {
      const answers = [
        await other.get(one),
        await other.patch(one, { nonsense: true }),
        await other.delete(one),
        await other.post(`${one}test/`),
      ];
      expect(answers.map((answer) => answer.status)).to.deep.equal([404, 404, 404, 404]);
      expect((await other.get('/api/carriers/')).text).not.to.include(made.id);
    }
  });

  it('lets operators alone make shared carriers, and shows them to operators alone', async () => {
    const [api, boss] = [await admin(), await operator()];

    const denied = await api.post('/api/carriers/', twilioLine({ shared: true }));
    const made = await boss.post('/api/carriers/', twilioLine({ shared: true }));

    expect(denied.status).to.equal(403);
    expect(made.body).to.deep.include({ account_id: null, shared: true });
    expect((await boss.get('/api/carriers/')).text).to.include(made.body.id);
    expect((await (await operator()).get(`/api/carriers/${made.body.id}/`)).status).to.equal(200);
    expect((await api.get(`/api/carriers/${made.body.id}/`)).status).to.equal(404);
    expect((await api.get('/api/carriers/')).text).not.to.include(made.body.id);
  });

  it('is gone after its deletion, and its secrets with it', async () => {
    const api = await admin();
    const { body: made } = await api.post('/api/carriers/', twilioLine());
    const one = `/api/carriers/${made.id}/`;

    expect((await api.delete(one)).status).to.equal(204);

    expect((await api.delete(one)).status).to.equal(404);
    expect((await api.get(one)).status).to.equal(404);
    expect((await api.patch(one, { name: 'x' })).status).to.equal(404);
    expect((await api.get('/api/carriers/')).body).to.deep.equal([]);
    const row = await door.platform.db('carriers').where({ id: made.id }).first();
    expect(door.platform.secrets.open(row.credentials, `carriers.credentials:${made.id}`)).to.equal('{}');
  });

  it('lists newest first, a page at a time', async () => {
    const api = await admin();
    const ids: string[] = [];
    for (let i = 0; i < 5; i += 1) ids.unshift((await api.post('/api/carriers/', twilioLine())).body.id);

    const first = await api.get('/api/carriers/?limit=3');
    const link = /<(.+)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
    const second = await api.get(link);

    const listed = [...first.body, ...second.body].map((carrier: { id: string }) => carrier.id);
    expect(listed).to.deep.equal(ids);
    expect(second.headers.get('link')).to.equal(null);
    expect((await api.get('/api/carriers/?limit=0')).body.limit).to.be.an('array');
    expect((await api.get('/api/carriers/?cursor=abc')).body.cursor).to.be.an('array');
    expect((await api.get('/api/carriers/?colour=red')).body.colour).to.be.an('array');
  });

  it('answers 404 to an id that is none', async () => {
    expect((await (await admin()).get('/api/carriers/main/')).status).to.equal(404);
    expect((await (await admin()).get(`/api/carriers/${newId()}/`)).status).to.equal(404);
  });

  it('says what to enter at the provider', async () => {
    const api = await admin();
    const { body: made } = await api.post('/api/carriers/', twilioLine({ is_active: false }));

    const answer = await api.post(`/api/carriers/${made.id}/test/`);

    expect(answer.status).to.equal(200);
    expect(answer.body.webhook_url).to.equal(made.webhook_url);
    expect(answer.body.steps.join('\n')).to.include(made.webhook_url);
    expect(answer.body.warnings).to.have.lengthOf(1);
  });
});
