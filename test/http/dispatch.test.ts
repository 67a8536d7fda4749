import { EventEmitter, once } from 'node:events';
import { PassThrough, Readable } from 'node:stream';
import { expect } from 'chai';
import Joi from 'joi';
import { createFairShare } from '../../src/http/fair-share.js';
import { Reply, route } from '../../src/http/route.js';
import { newId } from '../../src/lib/ids.js';
import { type SmallApp, startSmallApp } from '../support/small-app.js';

const thing = { tag: 'Things', summary: 'A thing', access: 'bearer', responses: {} } as const;
const gone: string[] = [];
const askedFor = new EventEmitter();

const ROUTES = [
  route({ ...thing, method: 'get', path: '/api/things/', scope: 'numbers:read', handle: () => [] }),
  route({
    ...{ ...thing, method: 'post', path: '/api/things/', role: 'admin', scope: 'numbers:write', status: 201 },
    body: Joi.object({ name: Joi.string().required(), size: Joi.number() }),
    bodyLimit: 200,
    handle: ({ body }) => body,
  }),
  route({ ...thing, method: 'get', path: '/api/things/:id/', handle: ({ params }) => params }),
  route({ ...thing, method: 'get', path: '/api/things/special/', handle: () => 'special' }),
  route({
    ...{ ...thing, method: 'patch', path: '/api/things/:id/' },
    permit: ({ params }) => {
      if (params.id?.endsWith('0')) throw new Error('unexpected');
    },
    body: Joi.object({ name: Joi.string() }),
    unknownBody: 'ignore',
    handle: ({ body }) => body,
  }),
  route({ ...thing, method: 'delete', path: '/api/things/:id/', handle: () => undefined }),
  route({
    ...{ ...thing, method: 'get', path: '/api/search/' },
    query: Joi.object({ limit: Joi.number().integer().min(1).default(50) }),
    handle: ({ query }) => query,
  }),
  route({
    ...{ ...thing, method: 'post', path: '/api/forms/', access: 'public', accepts: ['json', 'form', 'multipart'] },
    body: Joi.object({ name: Joi.string() }),
    unknownBody: 'ignore',
    handle: ({ body }) => body,
  }),
  route({
    ...{ ...thing, method: 'get', path: '/api/versions/', access: 'public' },
    handle: () => new Reply({ name: 'chair' }, { headers: { ETag: '"7"' } }),
  }),
  route({
    ...{ ...thing, method: 'patch', path: '/api/versions/', access: 'public', body: Joi.object({}) },
    handle: () => new Reply({ name: 'table' }, { headers: { ETag: '"7"' } }),
  }),
  route({ ...thing, method: 'get', path: '/api/open/', access: 'public', handle: () => ({ open: true }) }),
  route({
    ...{ ...thing, method: 'get', path: '/api/stream/', access: 'public' },
    handle: ({ untilLeft }) => {
      untilLeft().addEventListener('abort', () => gone.push('client'));
      const body = new PassThrough();
      body.write('first ');
      return new Reply(body, { headers: { 'Content-Type': 'text/plain' } });
    },
  }),
  route({
    ...{ ...thing, method: 'get', path: '/api/late/', access: 'public' },
    async handle({ untilLeft }) {
      askedFor.emit('late');
      await once(untilLeft(), 'abort');
      gone.push(untilLeft().aborted ? 'client, long since' : 'nobody');
    },
  }),
  route({
    ...{ ...thing, method: 'get', path: '/api/csv/', access: 'public' },
    handle: () => new Reply(Readable.from(['a,b\r\n']), { headers: { 'Content-Type': 'text/csv' } }),
  }),
];

interface Told {
  readonly token?: string;
  readonly type?: string;
  readonly body?: string;
}

describe('the lane of an account', () => {
  it('holds the place of a stream that changes something until it is done, and of none that only reads', async () => {
    const streams: PassThrough[] = [];
    const stream = () => {
      const body = new PassThrough();
      body.write('begun');
      streams.push(body);
      return new Reply(body, { headers: { 'Content-Type': 'text/plain' } });
    };
    const app = await startSmallApp(
      [
        route({ ...thing, method: 'post', path: '/api/streams/', scope: 'numbers:write', handle: stream }),
        route({ ...thing, method: 'get', path: '/api/streams/', scope: 'numbers:read', handle: stream }),
        route({ ...thing, method: 'get', path: '/api/things/', scope: 'numbers:read', handle: () => [] }),
      ],
      { share: createFairShare({ atOnce: 1, mostWaiting: null }) },
    );
    const ask = (method: string, path: string) =>
      fetch(`${app.url}${path}`, { method, headers: { authorization: 'Bearer admin' } });

    const reading = await ask('GET', '/api/streams/');
    const changing = await ask('POST', '/api/streams/');
    let isAnswered = false;
    const behind = ask('GET', '/api/things/').then(({ status }) => {
      isAnswered = true;
      return status;
    });
    expect((await fetch(`${app.url}/api/nothing/`)).status).to.equal(404);
    expect(isAnswered).to.equal(false);
    streams[1]?.end();

    expect(await behind).to.equal(200);
    expect(await changing.text()).to.equal('begun');
    streams[0]?.end();
    expect(await reading.text()).to.equal('begun');
    await app.close();
  });
});

describe('the order of a request’s checks', () => {
  let app: SmallApp;
  before(async () => {
    app = await startSmallApp(ROUTES);
  });
  after(() => app.close());

  async function ask(method: string, path: string, { token, type, body }: Told = {}) {
    const headers = { ...(token && { authorization: `Bearer ${token}` }), ...(type && { 'content-type': type }) };
    const answer = await fetch(`${app.url}${path}`, { method, headers, ...(body !== undefined && { body }) });
    const text = await answer.text();
    const isJson = answer.headers.get('content-type')?.includes('json');
    return { status: answer.status, headers: answer.headers, body: isJson ? JSON.parse(text) : text };
  }

  const json = (token: string, value: unknown): Told => ({
    token,
    type: 'application/json',
    body: JSON.stringify(value),
  });

  it('answers 304 without a body to who has the version already, and to nobody who changes it', async () => {
    const askKnowing = async (method: string, known: string) => {
      const headers = { 'if-none-match': known, 'content-type': 'application/json' };
      const body = method === 'PATCH' ? { body: '{}' } : {};
      const answer = await fetch(`${app.url}/api/versions/`, { method, headers, ...body });
      return { status: answer.status, etag: answer.headers.get('etag'), length: (await answer.text()).length };
    };

    const unchanged = { status: 304, etag: '"7"', length: 0 };
    for (const known of ['"7"', 'W/"7"', '"6", "7"', '*']) {
      expect(await askKnowing('GET', known), known).to.deep.equal(unchanged);
      expect(await askKnowing('HEAD', known), known).to.deep.equal(unchanged);
    }
    expect(await askKnowing('GET', '"6"')).to.deep.equal({ status: 200, etag: '"7"', length: 16 });
    expect((await askKnowing('PATCH', '"7"')).status).to.equal(200);
  });

  it('answers 404 to an unknown path, with or without a token', async () => {
    for (const path of ['/api/nothing/', '/nothing', '/api/Things/', '/api/things/a/b/']) {
      const { status, body } = await ask('GET', path);
      expect(status, path).to.equal(404);
      expect(body.code).to.equal('not_found');
    }
  });

  it('answers 401 before 405, and 405 with what is allowed', async () => {
    const anonymous = await ask('PUT', '/api/things/');
    const known = await ask('PUT', '/api/things/', { token: 'admin' });

    expect(anonymous.status).to.equal(401);
    expect(anonymous.headers.get('www-authenticate')).to.equal('Bearer realm="api"');
    expect(known.status).to.equal(405);
    expect(known.headers.get('allow')).to.equal('GET, HEAD, POST');
    expect(known.body).to.include({ code: 'method_not_allowed', detail: 'Method "PUT" not allowed.' });
  });

  it('answers 405 without a token where no method wants one', async () => {
    expect((await ask('DELETE', '/api/open/')).status).to.equal(405);
  });

  it('answers 403 before it looks at the body', async () => {
    const { status, body } = await ask('POST', '/api/things/', { token: 'member', type: 'text/plain', body: 'x' });

    expect(status).to.equal(403);
    expect(body.code).to.equal('permission_denied');
  });

  it('answers 403 to a key without the scope, and to every key where no scope opens the door', async () => {
    const lacking = await ask('POST', '/api/things/', json('key', { name: 'a' }));
    const closed = await ask('GET', `/api/things/${newId()}/`, { token: 'all' });

    expect(lacking.body).to.include({ status: 403, code: 'insufficient_scope' });
    expect(closed.body).to.include({ status: 403, code: 'insufficient_scope' });
    expect((await ask('GET', '/api/things/', { token: 'key' })).status).to.equal(200);
  });

  it('answers 404 to an id that is none, before anything of the body', async () => {
    const { status } = await ask('PATCH', '/api/things/17/', { token: 'member', type: 'text/plain', body: 'x' });

    expect(status).to.equal(404);
  });

  it('answers 415 before 413, 413 before 400', async () => {
    const long = 'x'.repeat(300);
    const type = await ask('POST', '/api/things/', { token: 'admin', type: 'text/plain', body: long });
    const size = await ask('POST', '/api/things/', { token: 'admin', type: 'application/json', body: long });
    const shape = await ask('POST', '/api/things/', { token: 'admin', type: 'application/json', body: 'x' });

    expect(type.body).to.include({ status: 415, detail: 'Unsupported media type "text/plain" in request.' });
    expect(size.body).to.include({ status: 413, code: 'body_too_large' });
    expect(shape.body).to.include({ status: 400, code: 'parse_error' });
  });

  it('answers 413 to a body without a told length', async () => {
    const stream = Readable.toWeb(Readable.from([Buffer.alloc(150, 'x'), Buffer.alloc(150, 'x')]));
    const headers = { authorization: 'Bearer admin', 'content-type': 'application/json' };
    const answer = await fetch(`${app.url}/api/things/`, {
      ...{ method: 'POST', headers, body: stream as ReadableStream, duplex: 'half' },
    } as RequestInit);

    expect(answer.status).to.equal(413);
  });

  it('tells each wrong member as a list of sentences', async () => {
    const { status, headers, body } = await ask('POST', '/api/things/', json('admin', { size: 'big', color: 'red' }));

    expect(status).to.equal(400);
    expect(headers.get('content-type')).to.match(/^application\/problem\+json/);
    expect(body).to.deep.equal({
      ...{ type: 'about:blank', title: 'Bad request', status: 400, code: 'invalid' },
      detail: 'The request has invalid members.',
      request_id: headers.get('x-request-id'),
      name: ['This field is required.'],
      size: ['A valid number is required.'],
      color: ['Unknown field.'],
    });
  });

  it('drops unknown members where the route says so', async () => {
    const { status, body } = await ask(
      'PATCH',
      `/api/things/${newId()}/`.replace(/0\/$/, '1/'),
      json('member', { name: 'a', color: 'red' }),
    );

    expect(status).to.equal(200);
    expect(body).to.deep.equal({ name: 'a' });
  });

  it('refuses a body nested deeper than 32 levels', async () => {
    const nested = (depth: number): string => `{"name":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`;
    const told = (depth: number): Told => ({ token: 'member', type: 'application/json', body: nested(depth) });
    const path = `/api/things/${newId().slice(0, -1)}1/`;

    expect((await ask('PATCH', path, told(33))).body.code).to.equal('parse_error');
    expect((await ask('PATCH', path, told(32))).body.code).to.equal('invalid');
  });

  it('refuses an unknown or malformed filter under its name', async () => {
    const unknown = await ask('GET', '/api/search/?color=red', { token: 'member' });
    const malformed = await ask('GET', '/api/search/?limit=0', { token: 'member' });

    expect(unknown.body).to.deep.include({ status: 400, color: ['Unknown filter.'] });
    expect(malformed.body).to.deep.include({ status: 400, limit: ['Ensure this value is at least 1.'] });
    expect((await ask('GET', '/api/search/?limit=7', { token: 'member' })).body).to.deep.equal({ limit: 7 });
  });

  it('prefers a fixed path to one with a parameter, and takes the last slash or not', async () => {
    expect((await ask('GET', '/api/things/special', { token: 'member' })).body).to.equal('special');
    expect((await ask('GET', '/api/things/special/', { token: 'member' })).body).to.equal('special');
    expect((await ask('HEAD', '/api/things/special/', { token: 'member' })).status).to.equal(200);
  });

  it('answers 204 without a body where nothing is returned', async () => {
    const { status, body } = await ask('DELETE', `/api/things/${newId()}/`, { token: 'member' });

    expect(status).to.equal(204);
    expect(body).to.equal('');
  });

  it('takes forms where the route does', async () => {
    const form = await ask('POST', '/api/forms/', { type: 'application/x-www-form-urlencoded', body: 'name=a+b&x=1' });
    const multipart = new FormData();
    multipart.set('name', 'c');
    const answer = await fetch(`${app.url}/api/forms/`, { method: 'POST', body: multipart });

    expect(form.body).to.deep.equal({ name: 'a b' });
    expect(await answer.json()).to.deep.equal({ name: 'c' });
  });

  it('answers an unexpected error with 500 and without a word of it', async () => {
    const { status, body } = await ask('PATCH', `/api/things/${newId().slice(0, -1)}0/`, json('member', {}));

    expect(status).to.equal(500);
    expect(body).to.include({ code: 'internal', detail: 'Something went wrong.' });
  });

  it('tells a handler that the client left', async () => {
    const leaving = new AbortController();
    const answer = await fetch(`${app.url}/api/stream/`, { signal: leaving.signal });
    expect(answer.status).to.equal(200);

    leaving.abort();
    while (gone.length === 0) await new Promise((resolve) => setImmediate(resolve));

    expect(gone).to.deep.equal(['client']);
  });

  it('tells it also to a handler that asks when the client is gone', async () => {
    gone.length = 0;
    const leaving = new AbortController();
    const begun = once(askedFor, 'late');
    const answer = fetch(`${app.url}/api/late/`, { signal: leaving.signal }).catch((error) => error.name);
    await begun;

    leaving.abort();
    while (gone.length === 0) await new Promise((resolve) => setImmediate(resolve));

    expect(gone).to.deep.equal(['client, long since']);
    expect(await answer).to.equal('AbortError');
  });

  it('keeps the type that a streaming answer names', async () => {
    const { headers, body } = await ask('GET', '/api/csv/');

    expect(headers.get('content-type')).to.equal('text/csv');
    expect(body).to.equal('a,b\r\n');
  });
});
