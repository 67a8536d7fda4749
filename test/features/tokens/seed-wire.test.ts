import { expect } from 'chai';
import { type Answer, type Ask, type Bed, type Person, startBed } from '../accounts/bed.js';

interface Row {
  readonly says: string;
  readonly method?: string;
  readonly ask: (bed: Bed, demo: Person) => Ask;
  readonly status: number;
  /** Members that the answer has, as the seed had them. */
  readonly body?: Record<string, unknown>;
}

const json = (body: unknown) => (): Ask => ({ json: body });
const raw = (body: string | Uint8Array<ArrayBuffer>, type?: string) => (): Ask => ({
  raw: body,
  ...(type !== undefined && { headers: { 'content-type': type } }),
});
const REQUIRED = ['This field is required.'];
const BLANK = ['This field may not be blank.'];
const NULL = ['This field may not be null.'];
const NO_STRING = ['Not a valid string.'];
const parseError = (why: string) => ({ detail: `JSON parse error - ${why}` });
const loginOf = ({ username, password }: Person) => ({ username, password });
const NO_ACCOUNT = {
  detail: 'No active account found with the given credentials',
  code: 'no_active_account',
};

const LOGIN: readonly Row[] = [
  { says: 'takes name and password', ask: (_, demo) => ({ json: loginOf(demo) }), status: 200 },
  {
    says: 'ignores unknown members',
    ask: (_, demo) => ({ json: { ...loginOf(demo), remember: true, otp: '1' } }),
    status: 200,
  },
  {
    says: 'cuts spaces around name and password',
    ask: (_, demo) => ({ json: { username: ` ${demo.username} `, password: ` ${demo.password} ` } }),
    status: 200,
  },
  {
    says: 'takes a content type with a charset',
    ask: (_, demo) => ({
      raw: JSON.stringify(loginOf(demo)),
      headers: { 'content-type': 'application/json; charset=utf-8' },
    }),
    status: 200,
  },
  { says: 'takes a form', ask: (_, demo) => ({ form: loginOf(demo) }), status: 200 },
  { says: 'takes a multipart form', ask: (_, demo) => ({ multipart: loginOf(demo) }), status: 200 },
  {
    says: 'does not look at a token',
    ask: (_, demo) => ({ json: loginOf(demo), headers: { authorization: 'Bearer nonsense' } }),
    status: 200,
  },
  {
    says: 'refuses a wrong password',
    ask: (_, demo) => ({ json: { username: demo.username, password: 'nope' } }),
    status: 401,
    body: NO_ACCOUNT,
  },
  {
    says: 'refuses an unknown user',
    ask: json({ username: 'nobody', password: 'nope' }),
    status: 401,
    body: NO_ACCOUNT,
  },
  { says: 'takes numbers as texts', ask: json({ username: 123, password: 456 }), status: 401, body: NO_ACCOUNT },
  {
    says: 'tells upper from lower case',
    ask: (_, demo) => ({ json: { ...loginOf(demo), username: demo.username.toUpperCase() } }),
    status: 401,
    body: NO_ACCOUNT,
  },
  { says: 'misses the password', ask: json({ username: 'demo' }), status: 400, body: { password: REQUIRED } },
  {
    says: 'misses the password of a form',
    ask: () => ({ form: { username: 'demo' } }),
    status: 400,
    body: { password: REQUIRED },
  },
  { says: 'misses both', ask: json({}), status: 400, body: { username: REQUIRED, password: REQUIRED } },
  { says: 'misses a body', ask: () => ({}), status: 400, body: { username: REQUIRED, password: REQUIRED } },
  { says: 'misses what is in a body', ask: raw(''), status: 400, body: { username: REQUIRED, password: REQUIRED } },
  {
    says: 'sees blanks',
    ask: json({ username: '', password: '' }),
    status: 400,
    body: { username: BLANK, password: BLANK },
  },
  {
    says: 'sees spaces as blanks',
    ask: json({ username: '  ', password: '  ' }),
    status: 400,
    body: { username: BLANK, password: BLANK },
  },
  {
    says: 'sees nulls',
    ask: json({ username: null, password: null }),
    status: 400,
    body: { username: NULL, password: NULL },
  },
  {
    says: 'refuses objects and lists as texts',
    ask: json({ username: {}, password: [] }),
    status: 400,
    body: { username: NO_STRING, password: NO_STRING },
  },
  {
    says: 'refuses booleans as texts',
    ask: json({ username: true, password: false }),
    status: 400,
    body: { username: NO_STRING, password: NO_STRING },
  },
  {
    says: 'refuses what no database can keep',
    ask: json({ username: 'a\u0000b', password: 'x' }),
    status: 400,
    body: { username: ['Null characters are not allowed.'] },
  },
  {
    says: 'explains half a body',
    ask: raw('{"username":'),
    status: 400,
    body: parseError('Expecting value: line 1 column 13 (char 12)'),
  },
  {
    says: 'explains a form that calls itself JSON',
    ask: raw('username=demo'),
    status: 400,
    body: parseError('Expecting value: line 1 column 1 (char 0)'),
  },
  {
    says: 'explains a comma too many',
    ask: raw('{"username":"demo",}'),
    status: 400,
    body: parseError('Expecting property name enclosed in double quotes: line 1 column 20 (char 19)'),
  },
  {
    says: 'explains NaN',
    ask: raw('{"username":NaN,"password":"x"}'),
    status: 400,
    body: parseError("Out of range float values are not JSON compliant: 'NaN'"),
  },
  {
    says: 'explains bytes that are no UTF-8',
    ask: raw(Uint8Array.from([...Buffer.from('{"username":"'), 0xff, ...Buffer.from('"}')])),
    status: 400,
    body: parseError("'utf-8' codec can't decode byte 0xff in position 13: invalid start byte"),
  },
  {
    says: 'refuses a list',
    ask: json([]),
    status: 400,
    body: { non_field_errors: ['Invalid data. Expected a dictionary, but got list.'] },
  },
  {
    says: 'refuses a text',
    ask: json('x'),
    status: 400,
    body: { non_field_errors: ['Invalid data. Expected a dictionary, but got str.'] },
  },
  {
    says: 'refuses other media types',
    ask: raw('{}', 'text/plain'),
    status: 415,
    body: { detail: 'Unsupported media type "text/plain" in request.' },
  },
  {
    says: 'refuses vendor types',
    ask: raw('{}', 'application/vnd.api+json'),
    status: 415,
    body: { detail: 'Unsupported media type "application/vnd.api+json" in request.' },
  },
  ...['GET', 'PUT', 'PATCH', 'DELETE'].map((method) => ({
    says: `does not know ${method}`,
    method,
    ask: () => ({}),
    status: 405,
    body: { detail: `Method "${method}" not allowed.` },
  })),
  { says: 'does not know HEAD', method: 'HEAD', ask: () => ({}), status: 405 },
  { says: 'describes itself', method: 'OPTIONS', ask: () => ({}), status: 200, body: { name: 'Token Obtain Pair' } },
];

const INVALID = { detail: 'Token is invalid or expired', code: 'token_not_valid' };
const wrong = (detail: string) => ({ detail, code: 'token_not_valid' });
const changed = (changes: Record<string, unknown>) => (bed: Bed, demo: Person) => ({
  json: { refresh: bed.forge(demo.refresh, changes) },
});
const past = () => Math.floor(Date.now() / 1000) - 10;

const REFRESH: readonly Row[] = [
  { says: 'takes a refresh token', ask: (_, demo) => ({ json: { refresh: demo.refresh } }), status: 200 },
  { says: 'ignores unknown members', ask: (_, demo) => ({ json: { refresh: demo.refresh, x: 1 } }), status: 200 },
  { says: 'takes a form', ask: (_, demo) => ({ form: { refresh: demo.refresh } }), status: 200 },
  { says: 'takes a multipart form', ask: (_, demo) => ({ multipart: { refresh: demo.refresh } }), status: 200 },
  { says: 'takes one without user_id', ask: changed({ user_id: undefined }), status: 200 },
  { says: 'takes one without iat', ask: changed({ iat: undefined }), status: 200 },
  {
    says: 'does not look at a token',
    ask: (_, demo) => ({ json: { refresh: demo.refresh }, headers: { authorization: 'Bearer zzz' } }),
    status: 200,
  },
  { says: 'misses it', ask: json({}), status: 400, body: { refresh: REQUIRED } },
  { says: 'sees a blank', ask: json({ refresh: '' }), status: 400, body: { refresh: BLANK } },
  { says: 'sees null', ask: json({ refresh: null }), status: 400, body: { refresh: NULL } },
  { says: 'refuses an object', ask: json({ refresh: {} }), status: 400, body: { refresh: NO_STRING } },
  { says: 'refuses a number', ask: json({ refresh: 123 }), status: 401, body: INVALID },
  { says: 'refuses any text', ask: json({ refresh: 'abc' }), status: 401, body: INVALID },
  { says: 'refuses an expired one', ask: changed({ exp: past() }), status: 401, body: INVALID },
  {
    says: 'refuses one of this very second',
    ask: (bed, demo) => ({ json: { refresh: bed.forge(demo.refresh, { exp: Math.floor(Date.now() / 1000) }) } }),
    status: 401,
    body: INVALID,
  },
  {
    says: 'refuses another key',
    ask: (bed, demo) => ({
      json: { refresh: bed.forge(demo.refresh, {}, { secret: 'another key, as long as the right one' }) },
    }),
    status: 401,
    body: INVALID,
  },
  {
    says: 'refuses alg none',
    ask: (bed, demo) => ({ json: { refresh: bed.forge(demo.refresh, {}, { algorithm: 'none' }) } }),
    status: 401,
    body: INVALID,
  },
  {
    says: 'refuses HS512',
    ask: (bed, demo) => ({ json: { refresh: bed.forge(demo.refresh, {}, { algorithm: 'HS512' }) } }),
    status: 401,
    body: INVALID,
  },
  {
    says: 'refuses an access token',
    ask: (_, demo) => ({ json: { refresh: demo.access } }),
    status: 401,
    body: wrong('Token has wrong type'),
  },
  { says: 'misses jti', ask: changed({ jti: undefined }), status: 401, body: wrong('Token has no id') },
  { says: 'misses token_type', ask: changed({ token_type: undefined }), status: 401, body: wrong('Token has no type') },
  { says: 'misses exp', ask: changed({ exp: undefined }), status: 401, body: wrong("Token has no 'exp' claim") },
  { says: 'refuses one that names no family', ask: changed({ sid: undefined }), status: 401, body: INVALID },
  { says: 'refuses one whose family is no id', ask: changed({ sid: 'abc' }), status: 401, body: INVALID },
  { says: 'refuses a node of nobody', ask: changed({ jti: 'f'.repeat(32) }), status: 401, body: INVALID },
  {
    says: 'refuses other media types',
    ask: raw('{}', 'text/plain'),
    status: 415,
    body: { detail: 'Unsupported media type "text/plain" in request.' },
  },
  {
    says: 'explains half a body',
    ask: raw('{'),
    status: 400,
    body: parseError('Expecting property name enclosed in double quotes: line 1 column 2 (char 1)'),
  },
  {
    says: 'does not know GET',
    method: 'GET',
    ask: () => ({}),
    status: 405,
    body: { detail: 'Method "GET" not allowed.' },
  },
  { says: 'describes itself', method: 'OPTIONS', ask: () => ({}), status: 200, body: { name: 'Token Refresh' } },
];

const NO_CREDENTIALS = { detail: 'Authentication credentials were not provided.' };
const refused = (message: string) => ({
  detail: 'Given token not valid for any token type',
  code: 'token_not_valid',
  messages: [{ token_class: 'AccessToken', token_type: 'access', message }],
});
const header = (value: (bed: Bed, demo: Person) => string) => (bed: Bed, demo: Person) => ({
  headers: { authorization: value(bed, demo) },
});
const access = (changes: Record<string, unknown>) => (bed: Bed, demo: Person) => ({
  token: bed.forge(demo.access, changes),
});
const soon = () => Math.floor(Date.now() / 1000) + 100;

const BEARER: readonly Row[] = [
  { says: 'takes an access token', ask: (_, demo) => ({ token: demo.access }), status: 200 },
  { says: 'takes spaces after Bearer', ask: header((_, demo) => `Bearer   ${demo.access}`), status: 200 },
  { says: 'takes one without iat', ask: access({ iat: undefined }), status: 200 },
  {
    says: 'takes one of the seed, without family, account and role',
    ask: access({ sid: undefined, account_id: undefined, role: undefined }),
    status: 200,
  },
  { says: 'misses a token', ask: () => ({}), status: 401, body: NO_CREDENTIALS },
  { says: 'misses what is in the header', ask: header(() => ''), status: 401, body: NO_CREDENTIALS },
  { says: 'wants a capital B', ask: header((_, demo) => `bearer ${demo.access}`), status: 401, body: NO_CREDENTIALS },
  { says: 'refuses Token', ask: header((_, demo) => `Token ${demo.access}`), status: 401, body: NO_CREDENTIALS },
  { says: 'refuses a bare token', ask: header((_, demo) => demo.access), status: 401, body: NO_CREDENTIALS },
  { says: 'refuses Basic', ask: header(() => 'Basic dTpw'), status: 401, body: NO_CREDENTIALS },
  ...['Bearer', 'Bearer a b'].map((value) => ({
    says: `refuses "${value}"`,
    ask: header(() => value),
    status: 401,
    body: {
      detail: 'Authorization header must contain two space-delimited values',
      code: 'bad_authorization_header',
    },
  })),
  ...['abc', 'a.b.c'].map((token) => ({
    says: `refuses ${token}`,
    ask: () => ({ token }),
    status: 401,
    body: refused('Token is invalid or expired'),
  })),
  {
    says: 'refuses an expired one',
    ask: access({ exp: past() }),
    status: 401,
    body: refused('Token is invalid or expired'),
  },
  {
    says: 'refuses one from the future',
    ask: access({ iat: soon() }),
    status: 401,
    body: refused('Token is invalid or expired'),
  },
  {
    says: 'refuses one for later',
    ask: access({ nbf: soon() }),
    status: 401,
    body: refused('Token is invalid or expired'),
  },
  {
    says: 'refuses another key',
    ask: (bed, demo) => ({ token: bed.forge(demo.access, {}, { secret: 'another key, as long as the right one' }) }),
    status: 401,
    body: refused('Token is invalid or expired'),
  },
  {
    says: 'refuses alg none',
    ask: (bed, demo) => ({ token: bed.forge(demo.access, {}, { algorithm: 'none' }) }),
    status: 401,
    body: refused('Token is invalid or expired'),
  },
  {
    says: 'refuses a refresh token',
    ask: (_, demo) => ({ token: demo.refresh }),
    status: 401,
    body: refused('Token has wrong type'),
  },
  { says: 'misses jti', ask: access({ jti: undefined }), status: 401, body: refused('Token has no id') },
  {
    says: 'misses token_type',
    ask: access({ token_type: undefined }),
    status: 401,
    body: refused('Token has no type'),
  },
  { says: 'misses exp', ask: access({ exp: undefined }), status: 401, body: refused("Token has no 'exp' claim") },
  {
    says: 'misses user_id',
    ask: access({ user_id: undefined }),
    status: 401,
    body: wrong('Token contained no recognizable user identification'),
  },
  {
    says: 'does not know a user',
    ask: access({ user_id: '01890000-0000-7000-8000-000000000000' }),
    status: 401,
    body: { detail: 'User not found', code: 'user_not_found' },
  },
  ...['abc', 1].map((id) => ({
    says: `does not know a user ${JSON.stringify(id)}`,
    ask: access({ user_id: id }),
    status: 401,
    body: { detail: 'User not found', code: 'user_not_found' },
  })),
];

describe('the seed’s token endpoints', () => {
  let bed: Bed;
  let demo: Person;
  before(async () => {
    bed = await startBed();
    demo = await bed.person();
  });
  after(() => bed.stop());

  async function check(path: string, { method = 'POST', ask, status, body }: Row): Promise<Answer> {
    const answer = await bed.ask(method, path, ask(bed, demo));

    expect(answer.status, JSON.stringify(answer.body)).to.equal(status);
    if (body) expect(answer.body).to.deep.include(body);
    if (status === 401) expect(answer.headers.get('www-authenticate')).to.equal('Bearer realm="api"');
    return answer;
  }

  describe('POST /api/token/', () => {
    for (const row of LOGIN) {
      it(row.says, async () => {
        const answer = await check('/api/token/', row);

        if (row.status === 200 && row.method === undefined) expect(answer.body).to.have.all.keys('access', 'refresh');
      });
    }

    it('refuses an inactive user', async () => {
      const admin = await bed.person();
      const idle = await bed.colleague(admin);
      await bed.ask('PATCH', `/api/users/${idle.id}/`, { token: admin.access, json: { is_active: false } });

      const answer = await bed.ask('POST', '/api/token/', { json: loginOf(idle) });

      expect(answer.status).to.equal(401);
      expect(answer.body).to.deep.include(NO_ACCOUNT);
    });

    it('works without the slash', async () => {
      const answer = await bed.ask('POST', '/api/token', { json: loginOf(demo) });

      expect(answer.status).to.equal(200);
    });
  });

  describe('POST /api/token/refresh/', () => {
    for (const row of REFRESH) {
      it(row.says, async () => {
        const answer = await check('/api/token/refresh/', row);

        if (row.status === 200 && row.method === undefined) expect(answer.body).to.have.all.keys('access', 'refresh');
      });
    }
  });

  describe('a bearer token', () => {
    for (const row of BEARER)
      it(row.says, () => check('/api/users/me/', { method: 'GET', ...row }).then(() => undefined));

    it('of an inactive or deleted user is refused in the seed’s words', async () => {
      const admin = await bed.person();
      const idle = await bed.colleague(admin);
      const gone = await bed.colleague(admin);
      await bed.ask('PATCH', `/api/users/${idle.id}/`, { token: admin.access, json: { is_active: false } });
      await bed.ask('DELETE', `/api/users/${gone.id}/`, { token: admin.access });

      const inactive = await bed.ask('GET', '/api/users/me/', { token: idle.access });
      const deleted = await bed.ask('GET', '/api/users/me/', { token: gone.access });

      expect(inactive.status).to.equal(401);
      expect(inactive.body).to.deep.include({ detail: 'User is inactive', code: 'user_inactive' });
      expect(deleted.status).to.equal(401);
      expect(deleted.body).to.deep.include({ detail: 'User not found', code: 'user_not_found' });
    });
  });
});
